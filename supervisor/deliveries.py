"""Alerts on their way: handed to the exporter, which delivers them, and kept until it says that it is done with them.

They survive the exporter: the next one is told again whatever was not acknowledged, so a receiver may get one twice.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final

from ..worker import events, log
from ..worker.channel import Message
from .children.exporter.spec import MOST_WAITING

Document = dict[str, Any]
GIVEN_UP: Final = "given up"


@dataclass(slots=True)
class Pending:
    """One alert, and who has not got it yet."""

    document: Document
    left: set[str]


class Deliveries:
    """At most MOST_WAITING alerts. `targets` are those configured, `say` reaches the exporter."""

    def __init__(self, targets: Callable[[], Iterable[str]], say: Callable[[Message], None]) -> None:
        self._targets, self._say = targets, say
        self._pending: dict[int, Pending] = {}
        self._told = False
        self._last = 0

    def post(self, document: Document) -> None:
        """Have `document` delivered to everyone who is configured."""
        left = set(self._targets())
        if not left:
            return
        while len(self._pending) >= MOST_WAITING:
            self._abandon(min(self._pending), f"{MOST_WAITING} later alerts wait")
        self._last += 1
        self._pending[self._last] = Pending(document, left)
        if self._told:
            self._tell(self._last)

    def hear(self, message: Message) -> None:
        """Take in what the exporter says: that it is there, or that it is done with an alert for one target."""
        match message["type"]:
            case "ready":
                self._told = True
                for number in self._pending:
                    self._tell(number)
            case "alert_done":
                self._through(message["id"], message["target"])

    def interrupted(self, _: object = None) -> None:
        """It is gone: the next one is told everything; what nobody is configured for any more is given up."""
        self._told = False
        for number, pending in list(self._pending.items()):
            self._abandon(number, "it is not configured any more", pending.left.difference(self._targets()))

    def ending(self, deadline: float) -> None:
        """Tell the exporter that it will be told to end, and by when (monotonic seconds) it must have ended."""
        self._say({"type": "ending", "deadline": deadline})

    def abandon(self, reason: str) -> None:
        """Nobody will deliver what is left: say so."""
        for number in list(self._pending):
            self._abandon(number, reason)

    def __len__(self) -> int:
        return len(self._pending)

    def _tell(self, number: int) -> None:
        pending = self._pending[number]
        self._say({"type": "alert", "id": number, "to": sorted(pending.left), "document": pending.document})

    def _abandon(self, number: int, reason: str, targets: set[str] | None = None) -> None:
        """Give an alert up for `targets`, all that are left if None."""
        pending = self._pending[number]
        alert, state = pending.document["alert"], pending.document["state"]
        for target in sorted(pending.left if targets is None else targets):
            log.emit(events.ALERT_FAILED, alert=alert, state=state, target=target, reason=reason, next=GIVEN_UP)
            self._through(number, target)

    def _through(self, number: int, target: str) -> None:
        pending = self._pending.get(number)
        if pending is not None:
            pending.left.discard(target)
            if not pending.left:
                del self._pending[number]
