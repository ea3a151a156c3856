"""Which records of one assigned partition are finished, and so up to where it may be committed.

Records are begun in the order of their offsets and may finish in any. Offsets that were never delivered (compacted
away, transaction markers) need no word: what lies below the highest begun offset and is not open is finished.

What an earlier owner finished above its commit (`adopt`) is not delivered to the handler again. What it left
unfinished there is owed: it is begun in order like everything else, or passed if it turns out not to exist any more.
"""

from collections import deque
from collections.abc import Iterable
from heapq import heappop, heappush
from typing import Final

WINDOW: Final = 4096
"""Offsets above the commit that can be told from each other: nothing further is begun while the lowest is open."""

Runs = tuple[tuple[int, int], ...]
"""Finished offsets: from the first up to, and without, the second; in order, with something unfinished between."""


class Offsets:
    """The unfinished offsets of one assignment. The sequential case costs one comparison per run of records."""

    __slots__ = ("_frontier", "_heap", "_open", "_owed", "_owes", "news", "reached")

    def __init__(self) -> None:
        self.reached: int | None = None
        """One past the highest offset begun, or the next one that is owed; None before the first."""
        self.news: list[tuple[int, int]] = []
        """What was finished while something below it was open, since somebody has taken note of it."""
        self._open: set[int] = set()
        self._heap: list[int] = []
        self._owed: deque[int] | None = None
        self._owes: set[int] = set()
        self._frontier = 0

    def adopt(self, base: int, done: Runs) -> None:
        """Begin at `base` with `done` above it, finished by an earlier owner; nothing is begun yet."""
        if not done:
            self.reach(base)
            return
        self.news += done
        self._frontier = done[-1][1]
        self._owed = deque(between(base, done))
        self._owes = set(self._owed)
        self.reached = self._go_on(base)

    def reach(self, offset: int) -> None:
        """Say that every record below `offset` is begun, and finished unless it is open."""
        before = self.reached
        if before is None or offset > before:
            if self._open and before is not None:
                self.news.append((before, offset))
            self.reached = offset if self._owed is None else self._go_on(offset)

    def open(self, offset: int) -> None:
        """Say that the record at `offset` is begun and not finished: in the order of offsets, for what is new."""
        if offset in self._open:
            return
        self.reach(offset)  # what lies between is finished, or was never there
        self._open.add(offset)
        heappush(self._heap, offset)
        if self.reached == offset:
            self.reached = offset + 1 if self._owed is None else self._go_on(offset + 1)

    def close(self, offset: int) -> None:
        """Say that the record at `offset` is finished; one that is not open is finished already."""
        self._open.discard(offset)
        if self._open:
            self.news.append((offset, offset + 1))

    def absent(self, first: int, end: int) -> None:
        """Say that no record from `first` up to `end` exists any more: none was delivered between two that were."""
        if self._owed is None or self.reached is None:
            return
        first, end = max(first, self.reached), min(end, self._frontier)
        self._owes.difference_update(range(first, end))
        if self._open and first < end:
            self.news.append((first, end))
        self.reached = self._go_on(self.reached)

    def is_done(self, offset: int) -> bool:
        """Return whether the record at `offset` is finished."""
        if self.reached is None or offset < self.reached:
            return self.reached is not None and offset not in self._open
        return self._owed is not None and offset < self._frontier and offset not in self._owes

    @property
    def pending(self) -> int:
        """How many records are open."""
        return len(self._open)

    @property
    def plain(self) -> bool:
        """Whether nothing above `committable` is finished."""
        return not self._open and self._owed is None

    @property
    def frontier(self) -> int | None:
        """One past the highest offset that is open or finished; None before the first record is begun."""
        return self.reached if self._owed is None or self.reached is None else max(self.reached, self._frontier)

    @property
    def committable(self) -> int | None:
        """The offset to commit: that of the lowest unfinished record; None before the first record is begun."""
        heap, still_open = self._heap, self._open
        while heap and heap[0] not in still_open:
            heappop(heap)
        return heap[0] if heap else self.reached

    def runs(self) -> Runs:
        """Return what is finished above `committable`, as far as WINDOW reaches."""
        base, frontier = self.committable, self.frontier
        if self.plain or base is None or frontier is None:
            return ()
        owed = (offset for offset in self._owed or () if offset in self._owes)
        return _runs((*sorted(self._open), *owed), base, min(frontier, base + WINDOW))

    def _go_on(self, offset: int) -> int:
        """Return where is begun next, all below `offset` being begun; of an earlier owner nothing may be left then."""
        owed, owes = self._owed, self._owes
        while owed and (owed[0] < offset or owed[0] not in owes):
            owes.discard(owed.popleft())
        if owed:
            return owed[0]
        self._owed = None
        return max(offset, self._frontier)


def between(base: int, done: Runs) -> list[int]:
    """Return the offsets from `base` up to the end of `done` that are not in it."""
    found: list[int] = []
    for first, end in done:
        found += range(base, first)
        base = max(base, end)
    return found


def united(one: Runs, other: Runs, base: int) -> Runs:
    """Return the runs of both from `base` on."""
    found: list[tuple[int, int]] = []
    for first, end in sorted((*one, *other)):
        if found and first <= found[-1][1]:
            found[-1] = (found[-1][0], max(end, found[-1][1]))
        elif end > base:
            found.append((max(first, base), end))
    return tuple(found)


def length(done: Runs) -> int:
    """Return how many offsets are in the runs."""
    return sum(end - first for first, end in done)


def _runs(unfinished: Iterable[int], base: int, end: int) -> Runs:
    found = []
    for offset in unfinished:
        if offset >= end:
            break
        if offset > base:
            found.append((base, offset))
        base = offset + 1
    if base < end:
        found.append((base, end))
    return tuple(found)
