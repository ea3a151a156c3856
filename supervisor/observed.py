"""What the liaison has reported: topics, lag, dead letters, and whether brokers answer."""

from dataclasses import dataclass, field
from typing import Any

from ..worker import clock
from ..worker.channel import Message


@dataclass(frozen=True, slots=True)
class PartitionLag:
    """One partition of the last complete sweep; None is unknown, never zero."""

    topic: str
    partition: int
    committed: int | None
    end: int | None
    log_start: int | None
    lag: int | None


@dataclass(slots=True)
class Observed:
    """The newest reports."""

    topics: dict[str, int] = field(default_factory=dict)
    reachable: bool | None = None
    dead_letters: int | None = None
    valid: bool = False
    reason: str | None = "not measured yet"
    at: float | None = None
    partitions: tuple[PartitionLag, ...] = ()
    _sweep: tuple[int, list[PartitionLag]] = (0, [])

    def hear(self, message: Message) -> None:
        """Take a report in."""
        match message["type"]:
            case "ready" | "topics":
                self.topics = dict(message["topics"])
            case "brokers":
                self.reachable = message["reachable"]
            case "dead_letters":
                self.dead_letters = message["count"]
            case "lag":
                self._hear_lag(message)

    def forget(self) -> None:
        """The liaison is gone: what it said about lag is not known any more."""
        self.valid, self.reason = False, "the liaison is being restarted"

    def _hear_lag(self, message: Message) -> None:
        number, rows = self._sweep
        if message["sweep"] != number:
            rows = []
        rows.extend(PartitionLag(*row) for row in message["partitions"])
        self._sweep = (message["sweep"], rows)
        if message["last"]:
            self.valid, self.reason, self.at = message["valid"], message["reason"], message["at"]
            self.partitions = tuple(rows)

    @property
    def total(self) -> int | None:
        """The lag over all partitions, None if any of them is unknown."""
        known = [one.lag for one in self.partitions if one.lag is not None]
        return sum(known) if self.valid and len(known) == len(self.partitions) else None

    def document(self, *, with_partitions: bool) -> dict[str, Any]:
        """Return the `lag` part of the status document."""
        topics: dict[str, dict[str, int | None]] = {}
        for one in self.partitions:
            entry = topics.setdefault(one.topic, {"lag": 0, "partitions": 0})
            entry["partitions"] = (entry["partitions"] or 0) + 1
            entry["lag"] = None if one.lag is None or entry["lag"] is None else entry["lag"] + one.lag
        rows = [
            {"topic": one.topic, "partition": one.partition, "committed": one.committed, "end": one.end,
             "log_start": one.log_start, "lag": one.lag}
            for one in self.partitions
        ]  # fmt: skip
        return {
            "valid": self.valid,
            "reason": self.reason,
            "at": clock.iso(self.at) if self.at is not None else None,
            "total": self.total,
            "topics": topics if self.valid else {},
            "partitions": rows if with_partitions else [],
        }
