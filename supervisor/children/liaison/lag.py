"""Reading all offsets of the group, sweep by sweep."""

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final, Protocol

from ....worker import clock, events, log
from ....worker.channel import MAX_MESSAGE
from ...decide.lag import Position, dead_letters
from ...decide.topics import Topic
from .cluster import Read
from .handle import Key
from .mailbox import Mailbox, send

TIMEOUT: Final = 5.0
STARTS_EVERY: Final = 60.0
"""Seconds between two readings of the log starts: retention and purges move them, slowly."""
PER_SECOND: Final = 1000
"""Partitions read per second of interval; 10,000 of them are swept every 10 s."""
REMIND: Final = 60.0
MAX_ROWS: Final = 1000
ROW_BYTES: Final = 100
"""Of a row beside its topic's name: four numbers of at most 20 digits, and punctuation."""
DEAD_LETTER_GROUP: Final = "{group}.dlq"
NO_TOPICS: Final = "no topic of the subscription exists yet"


class Offsets(Protocol):
    """What of a Cluster is asked here."""

    def committed(self, group: str, keys: Sequence[Key], seconds: float) -> Read:
        """Return what `group` has committed."""

    def ends(self, keys: Sequence[Key], seconds: float) -> Read:
        """Return the ends."""

    def starts(self, keys: Sequence[Key], seconds: float) -> Read:
        """Return the log starts."""


class Reader:
    """Reads the positions of one group; remembers log starts for STARTS_EVERY seconds."""

    def __init__(self, cluster: Offsets, group: str, now: Callable[[], float] = clock.monotonic) -> None:
        self._cluster = cluster
        self._group = group
        self._now = now
        self._starts: dict[Key, int] = {}
        self._read_at = -STARTS_EVERY

    def read(self, keys: Sequence[Key], *, fresh: bool = False) -> tuple[list[Position], str | None]:
        """Return a position per key, and why one of them is incomplete, if one is; `fresh`: log starts are read anew.

        Committed offsets are read before the ends: a race can only make the lag too large.
        """
        committed = self._cluster.committed(self._group, keys, TIMEOUT)
        if not committed.offsets:
            return [], committed.reason
        ends = self._cluster.ends(keys, TIMEOUT)
        reason = committed.reason or ends.reason
        if fresh or self._outdated(keys, ends.offsets):
            reason = self._read_starts(keys) or reason
        return [self._position(key, committed.offsets, ends.offsets) for key in keys], reason

    def _outdated(self, keys: Sequence[Key], ends: Mapping[Key, int | None]) -> bool:
        if self._now() - self._read_at >= STARTS_EVERY:
            return True
        # An end before the log start: the topic was deleted and made anew.
        return any(key not in self._starts or (ends.get(key) or 0) < self._starts[key] for key in keys if key in ends)

    def _read_starts(self, keys: Sequence[Key]) -> str | None:
        read = self._cluster.starts(keys, TIMEOUT)
        self._starts = {key: offset for key, offset in read.offsets.items() if offset is not None}
        if read.reason is None:
            self._read_at = self._now()
        return read.reason

    def _position(self, key: Key, committed: Mapping[Key, int | None], ends: Mapping[Key, int | None]) -> Position:
        # Without its committed offset an end would pass for "no commit".
        end = ends.get(key) if key in committed else None
        return Position(*key, committed.get(key), end, self._starts.get(key))


class Rounds:
    """What the lag thread does: a sweep every `interval` seconds, or sooner when poked, and a count of dead letters."""

    def __init__(self, sweeper: "Sweeper", letters: "DeadLetterCount", interval: float) -> None:
        self._sweeper = sweeper
        self._letters = letters
        self._interval = interval
        self._poke = threading.Event()

    def poke(self) -> None:
        """Sweep now."""
        self._poke.set()

    def run(self) -> None:
        """Go round for ever."""
        due = 0.0
        while True:
            partitions = self._sweeper.sweep()
            now = clock.monotonic()
            if now >= due:
                due = now + max(self._interval, self._letters.count() / PER_SECOND)
            self._poke.wait(max(self._interval, partitions / PER_SECOND))
            self._poke.clear()


class Sweeper:
    """Reads every partition and reports it."""

    def __init__(self, reader: Reader, mailbox: Mailbox, topics: Callable[[], tuple[Topic, ...]]) -> None:
        self._reader = reader
        self._mailbox = mailbox
        self._topics = topics
        self._number = 0
        self._failures = 0
        self._warned_at = -REMIND

    def sweep(self) -> int:
        """Read and report every partition once; return how many there are."""
        keys = keys_of(self._topics())
        self._number += 1
        positions, reason = self._reader.read(keys) if keys else ([], NO_TOPICS)
        self._warn(reason)
        parts = list(chunks(positions)) or [[]]
        for index, part in enumerate(parts):
            send(
                self._mailbox,
                "lag",
                sweep=self._number,
                last=index == len(parts) - 1,
                valid=reason is None,
                reason=reason,
                at=clock.wall(),
                partitions=[[row.topic, row.partition, row.committed, row.end, row.log_start] for row in part],
            )
        return len(keys)

    def _warn(self, reason: str | None) -> None:
        """Log the second failure in a row: a group's first offsets may take its coordinator a moment to load."""
        if reason is None or reason == NO_TOPICS:
            self._failures = 0
            return
        self._failures += 1
        if self._failures > 1 and clock.monotonic() - self._warned_at >= REMIND:
            self._warned_at = clock.monotonic()
            log.emit(events.LAG_UNKNOWN, reason=reason)


class DeadLetterCount:
    """Counts the waiting dead letters and reports each change; its reader is that of group DEAD_LETTER_GROUP."""

    def __init__(self, reader: Reader, mailbox: Mailbox, topics: Callable[[], tuple[Topic, ...]]) -> None:
        self._reader = reader
        self._mailbox = mailbox
        self._topics = topics
        self._reported: object = ...

    def count(self) -> int:
        """Count once; return the number of partitions asked. Log starts are read every time: a purge moves them."""
        keys = keys_of(self._topics())
        if keys:
            positions, reason = self._reader.read(keys, fresh=True)
            count = dead_letters(positions) if reason is None else None
            if count != self._reported:
                self._reported = count
                if reason is not None:
                    log.emit(events.LAG_UNKNOWN, reason=f"dead letters: {reason}")
                send(self._mailbox, "dead_letters", count=count)
        return len(keys)


def keys_of(topics: Sequence[Topic]) -> list[Key]:
    """Return every partition of `topics`."""
    return [(topic.name, partition) for topic in topics for partition in range(topic.partitions)]


def chunks(positions: Sequence[Position]) -> Iterator[Sequence[Position]]:
    """Yield `positions` in parts that fit into a message each."""
    first = size = 0
    for index, position in enumerate(positions):
        size += ROW_BYTES + len(position.topic)
        if index - first == MAX_ROWS or size > MAX_MESSAGE * 3 // 4:
            yield positions[first:index]
            first, size = index, ROW_BYTES + len(position.topic)
    if positions[first:]:
        yield positions[first:]
