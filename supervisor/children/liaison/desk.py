"""The main thread's list of death notices that are not answered yet."""

from typing import Final

from ....worker.channel import Message
from .errands import LIMIT, Answer, Errand

GRACE: Final = 0.5
"""Seconds after the messenger's own limit: it is stuck (a name server, say), and the supervisor must not wait."""


class Desk:
    """Knows every open errand; each is answered exactly once."""

    def __init__(self) -> None:
        self._open: dict[int, tuple[Errand, float]] = {}

    def accept(self, message: Message, now: float) -> Errand:
        """Return the errand that a `notice` or `describe_release` message asks for."""
        kind = message.get("kind", "describe_release")
        errand = Errand(
            id=message["id"],
            child=message["child"],
            kind=kind,
            member_id=message.get("member_id"),
            instance_id=message.get("instance_id"),
            partitions=frozenset((topic, number) for topic, number in message.get("partitions", ())),
        )
        self._open[errand.id] = (errand, now)
        return errand

    def settle(self, answer: Answer) -> Errand | None:
        """Return the errand that `answer` ends, or None if it was answered before."""
        errand, _ = self._open.pop(answer.id, (None, 0.0))
        return errand

    def overdue(self, now: float) -> list[Answer]:
        """Return answers for the errands that the messenger should have ended by `now`.

        An errand without a member id gets none: arriving late it could hit the slot's next process, so the
        supervisor has to wait for the messenger's word.
        """
        return [
            Answer(errand.id, ok=False, ms=(now - since) * 1000, error="no answer from the coordinator's connection")
            for errand, since in self._open.values()
            if errand.member_id is not None and now - since >= LIMIT + GRACE
        ]

    def __len__(self) -> int:
        return len(self._open)
