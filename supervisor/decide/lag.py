"""Lag from offsets: `max(0, end - max(committed, log start))`, where what could not be read is unknown and never zero.

The first committed, then the end offset must have been read, so that a race can only make the lag too large.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

Start = Literal["earliest", "latest", "error"]


@dataclass(frozen=True, slots=True)
class Position:
    """One partition's offsets. `end` None: it could not be read; `committed` None beside a known `end`: no commit."""

    topic: str
    partition: int
    committed: int | None
    end: int | None
    log_start: int | None


@dataclass(frozen=True, slots=True)
class TopicLag:
    """The sum over a topic's partitions; None if any of them is unknown."""

    lag: int | None
    partitions: int


@dataclass(frozen=True, slots=True)
class Lag:
    """One sweep, counted. `partitions` keeps the order in which they were read."""

    total: int | None
    topics: Mapping[str, TopicLag]
    partitions: tuple[tuple[Position, int | None], ...]


@dataclass(frozen=True, slots=True)
class Sweep:
    """A reading of all partitions, or a part of it; `at`: seconds since the epoch, `reason`: why it is not `valid`."""

    number: int
    at: float
    valid: bool = True
    reason: str | None = None
    positions: tuple[Position, ...] = field(default=())


def lag_of(position: Position, start: Start) -> int | None:
    """Return the records the group has still to handle, or None if that is unknown.

    Without a commit it depends on where the group would start: `earliest` has all records before it; `latest` has
    none, since its workers commit where they begin as soon as they have the partition, and what came before is not
    their work; with `error` it cannot start, so nothing is known.
    """
    if position.end is None or position.log_start is None:
        return None
    if position.committed is None:
        return _without_commit(position.end, position.log_start, start)
    return max(0, position.end - max(position.committed, position.log_start))


def _without_commit(end: int, log_start: int, start: Start) -> int | None:
    if start == "latest":
        return 0
    return max(0, end - log_start) if start == "earliest" else None


def total(lags: Iterable[int | None]) -> int | None:
    """Return the sum, or None if one of `lags` is."""
    result = 0
    for lag in lags:
        if lag is None:
            return None
        result += lag
    return result


def measure(positions: Sequence[Position], start: Start) -> Lag:
    """Return the lag of every partition, topic and of all together; of no partition at all it is unknown."""
    counted = tuple((position, lag_of(position, start)) for position in positions)
    by_topic: dict[str, list[int | None]] = {}
    for position, lag in counted:
        by_topic.setdefault(position.topic, []).append(lag)
    return Lag(
        total=total(lag for _, lag in counted) if counted else None,
        topics={topic: TopicLag(total(lags), len(lags)) for topic, lags in by_topic.items()},
        partitions=counted,
    )


def document(lag: Lag, *, at: str | None, valid: bool, reason: str | None) -> dict[str, Any]:
    """Return the lag document: of a running herd's status, and of `kherd lag --json`. None is unknown.

    `at` is when it was read; what is not `valid` has a `reason`, and no total.
    """
    return {
        "valid": valid,
        "reason": reason,
        "at": at,
        "total": lag.total if valid else None,
        "topics": {name: {"lag": one.lag, "partitions": one.partitions} for name, one in lag.topics.items()},
        "partitions": [
            {
                "topic": position.topic,
                "partition": position.partition,
                "committed": position.committed,
                "end": position.end,
                "log_start": position.log_start,
                "lag": one,
            }
            for position, one in lag.partitions
        ],
    }


def dead_letters(positions: Sequence[Position]) -> int | None:
    """Return how many dead letters wait: what their topics still hold and group `GROUP.dlq` has not dealt with."""
    return total(lag_of(position, "earliest") for position in positions)


def parse(message: Mapping[str, Any]) -> Sweep:
    """Return the part of a sweep that a `lag` message carries."""
    return Sweep(
        number=message["sweep"],
        at=message["at"],
        valid=message["valid"],
        reason=message["reason"],
        positions=tuple(Position(*row) for row in message["partitions"]),
    )


def extend(pending: Sweep | None, part: Sweep) -> Sweep:
    """Return `pending` with `part` added; a part of another sweep starts anew, what was pending is incomplete."""
    if pending is None or pending.number != part.number:
        return part
    return replace(
        part,
        valid=pending.valid and part.valid,
        reason=pending.reason or part.reason,
        positions=pending.positions + part.positions,
    )
