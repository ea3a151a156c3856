"""What the liaison has reported: topics, lag, dead letters, and whether brokers answer."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from ..worker import clock
from ..worker.channel import Message
from .decide.lag import Lag, Start, Sweep, extend, measure, parse


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
    lag: Lag = field(default_factory=lambda: measure((), "earliest"))
    _pending: Sweep | None = None

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

    def forget(self) -> None:
        """The liaison is gone: what it said is not known any more."""
        self.valid, self.reason, self.dead_letters = False, "the liaison is being restarted", None
        self.reachable, self._pending = None, None

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
        known = self.valid
        rows = [
            {
                "topic": position.topic,
                "partition": position.partition,
                "committed": position.committed,
                "end": position.end,
                "log_start": position.log_start,
                "lag": lag,
            }
            for position, lag in self.lag.partitions
        ]
        topics = {name: {"lag": one.lag, "partitions": one.partitions} for name, one in self.lag.topics.items()}
        return {
            "valid": known,
            "reason": self.reason,
            "at": clock.iso(self.at) if self.at is not None else None,
            "total": self.total,
            "topics": topics if known else {},
            "partitions": rows if known else [],
        }
