"""What the liaison has reported: topics, lag, dead letters, members, and whether brokers answer."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from ..worker import clock
from ..worker.channel import Message
from .decide.lag import Lag, Start, Sweep, document, extend, measure, parse


@dataclass(slots=True)
class Observed:
    """The newest reports. What is None is not known (yet, or any more): it is never taken for zero."""

    start: Start
    topics: dict[str, int] = field(default_factory=dict)
    whole: bool = True
    """Whether `topics` are all there are: a message holds some thousands."""
    reachable: bool | None = None
    dead_letters: int | None = None
    valid: bool = False
    reason: str | None = "not measured yet"
    at: float | None = None
    members: frozenset[str] | None = None
    """Member ids of everybody in the group, ours included, where the liaison counts them (`count_members`).

    None on the embedded broker too, which cannot be asked: nobody but us is in a group there.
    """
    lag: Lag = field(default_factory=lambda: measure((), "earliest"))
    _pending: Sweep | None = None
    _counted: tuple[int, frozenset[str]] = (0, frozenset())
    """The census that is under way, and who is known to be in it."""

    def hear(self, message: Message) -> None:
        """Take a report in."""
        match message["type"]:
            case "ready" | "topics":
                self.topics = dict(message["topics"])
                self.whole = message.get("partitions", 0) <= sum(self.topics.values())
            case "brokers":
                self.reachable = message["reachable"]
            case "dead_letters":
                self.dead_letters = message["count"]
            case "lag":
                self._hear_lag(message)
            case "members":
                self._hear_members(message)

    def forget(self) -> None:
        """The liaison is gone: what it said is not known any more."""
        self.valid, self.reason, self.dead_letters = False, "the liaison is being restarted", None
        self.reachable, self._pending = None, None
        self.members, self._counted = None, (0, frozenset())

    def _hear_members(self, message: Message) -> None:
        if message["ids"] is None:
            self.members = None
            return
        number, before = self._counted
        ids = (before if number == message["census"] else frozenset()) | frozenset(message["ids"])
        self._counted = (message["census"], ids)
        if message["last"]:
            self.members, self._counted = ids, (0, frozenset())

    def subscription(self, configured: Sequence[str]) -> tuple[str, ...] | None:
        """Return the topics that workers are to subscribe to by name; None if `configured` holds no expression."""
        if not any(topic.startswith("^") for topic in configured):
            return None
        # Brokers match an expression against dead-letter topics too: workers get names instead.
        literal = (topic for topic in configured if not topic.startswith("^"))
        return tuple(sorted({*self.topics, *literal}))

    def _hear_lag(self, message: Message) -> None:
        self._pending = extend(self._pending, parse(message))
        if message["last"]:
            sweep, self._pending = self._pending, None
            self.valid, self.reason, self.at = sweep.valid, sweep.reason, sweep.at
            if sweep.valid:
                self.lag = measure(sweep.positions, self.start)

    @property
    def total(self) -> int | None:
        """The total lag, None if it is unknown."""
        return self.lag.total if self.valid else None

    def document(self) -> dict[str, Any]:
        """Return the `lag` part of the status document; of an invalid reading nothing is told but the reason."""
        lag = self.lag if self.valid else measure((), self.start)
        at = clock.iso(self.at) if self.at is not None else None
        return document(lag, at=at, valid=self.valid, reason=self.reason)
