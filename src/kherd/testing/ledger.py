"""A ledger of what handlers did: one line per record, appended by whichever process handled it, read back as a whole.

In a handler's module: `LEDGER = Ledger(path)`, then `LEDGER.write(message)`. A line is one write to a descriptor opened
with O_APPEND, so that lines of many processes never mix and a killed process leaves whole lines only.
"""

import os
from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Protocol

from ..worker import clock


class Written(Protocol):
    """What a ledger needs of a record: confluent_kafka's Message has it."""

    def topic(self) -> str | None:
        """Return its topic."""

    def partition(self) -> int | None:
        """Return its partition."""

    def offset(self) -> int | None:
        """Return its offset."""

    def key(self) -> bytes | str | None:
        """Return its key."""


class Ledger:
    """The writing side; may be made before a fork, opens its file in the process that writes."""

    def __init__(self, path: str | Path) -> None:
        self._path = path
        self._fd = -1
        self._pid = 0

    def write(self, *messages: Written, note: str = "") -> None:
        """Append a line for each of `messages`, all with one time and one write."""
        pid = os.getpid()
        if pid != self._pid:
            self._fd = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
            self._pid = pid
        now = clock.monotonic_ns()
        lines = [
            f"{one.topic()}\t{one.partition()}\t{one.offset()}\t{_hex(one.key())}\t{pid}\t{now}\t{note}\n"
            for one in messages
        ]
        os.write(self._fd, "".join(lines).encode())


@dataclass(frozen=True, slots=True)
class Entry:
    """One handling of one record; `at` is CLOCK_MONOTONIC in seconds."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    pid: int
    at: float
    note: str


Place = tuple[str, int]
"""A topic and a partition of it."""


class Handled:
    """All entries of a ledger so far, in the order they were written."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        self.entries = list(entries)
        self._by_place: dict[Place, list[Entry]] = defaultdict(list)
        for entry in self.entries:
            self._by_place[entry.topic, entry.partition].append(entry)

    def __len__(self) -> int:
        return len(self.entries)

    @property
    def records(self) -> set[tuple[str, int, int]]:
        """Every record that was handled at least once: (topic, partition, offset)."""
        return {(entry.topic, entry.partition, entry.offset) for entry in self.entries}

    @property
    def pids(self) -> set[int]:
        """Every process that handled something."""
        return {entry.pid for entry in self.entries}

    def at(self, topic: str, partition: int) -> list[Entry]:
        """Return the entries of one partition."""
        return self._by_place.get((topic, partition), [])

    def counts(self, topic: str) -> dict[int, int]:
        """Return how many handlings each partition of `topic` has seen."""
        return {place[1]: len(found) for place, found in sorted(self._by_place.items()) if place[0] == topic}

    def duplicates(self, topic: str | None = None) -> dict[tuple[str, int, int], int]:
        """Return the records handled more than once, with how often."""
        counted = Counter((entry.topic, entry.partition, entry.offset) for entry in self.entries)
        return {record: n for record, n in counted.items() if n > 1 and topic in {None, record[0]}}

    def missing(self, topic: str, produced: Mapping[int, Iterable[int]]) -> set[tuple[int, int]]:
        """Return (partition, offset) of what was produced (partition -> offsets) and never handled."""
        done = self.records
        wanted = ((partition, offset) for partition, offsets in produced.items() for offset in offsets)
        return {(partition, offset) for partition, offset in wanted if (topic, partition, offset) not in done}

    def disorder(self) -> list[Entry]:
        """Return entries handled for the first time after a later record of their partition: broken order."""
        return [entry for found in self._by_place.values() for entry in _late(found)]

    def pauses(self, topic: str, partition: int, since: float = 0.0, until: float = float("inf")) -> list[float]:
        """Return the times in seconds between two handlings in a row, of all that touch [since, until]."""
        entries = self.at(topic, partition)
        first = max(0, bisect_left(entries, since, key=_moment) - 1)
        last = bisect_right(entries, until, key=_moment) + 1
        return [after.at - before.at for before, after in pairwise(entries[first:last])]

    def longest_pause(self, topic: str, partition: int, since: float = 0.0, until: float = float("inf")) -> float:
        """Return the longest of `pauses`; 0 if there is none."""
        return max(self.pauses(topic, partition, since, until), default=0.0)


def read(path: str | Path) -> Handled:
    """Return what a ledger holds; one that was never written to is empty."""
    try:
        text = Path(path).read_text()
    except FileNotFoundError:
        return Handled(())
    # A last line without its end is being written just now.
    return Handled(_entry(line) for line in text.splitlines(keepends=True) if line.endswith("\n"))


def _entry(line: str) -> Entry:
    topic, partition, offset, key, pid, at, note = line.rstrip("\n").split("\t")
    known = None if key == "-" else bytes.fromhex(key)
    return Entry(topic, int(partition), int(offset), known, int(pid), int(at) / clock.NANOSECONDS, note)


def _moment(entry: Entry) -> float:
    return entry.at


def _late(entries: Iterable[Entry]) -> Iterator[Entry]:
    seen: set[int] = set()
    highest = -1
    for entry in entries:
        if entry.offset in seen:
            continue
        seen.add(entry.offset)
        if entry.offset < highest:
            yield entry
        highest = max(highest, entry.offset)


def _hex(key: bytes | str | None) -> str:
    if key is None:
        return "-"
    return (key.encode() if isinstance(key, str) else key).hex()
