"""Which records of one assigned partition are finished, and so up to where it may be committed.

Records are begun in the order of their offsets and may finish in any. Offsets that were never delivered (compacted
away, transaction markers) need no word: what lies below the highest begun offset and is not open is finished.
"""

from heapq import heappop, heappush


class Offsets:
    """The unfinished offsets of one assignment. The sequential case costs one comparison per run of records."""

    __slots__ = ("_heap", "_open", "reached")

    def __init__(self) -> None:
        self.reached: int | None = None
        """One past the highest offset begun; None before the first."""
        self._open: set[int] = set()
        self._heap: list[int] = []

    def reach(self, offset: int) -> None:
        """Say that every record below `offset` is begun, and finished unless it is open."""
        if self.reached is None or offset > self.reached:
            self.reached = offset

    def open(self, offset: int) -> None:
        """Say that the record at `offset` is begun and not finished: it is retried, or its outputs are under way."""
        if offset not in self._open:
            self._open.add(offset)
            heappush(self._heap, offset)
        self.reach(offset + 1)

    def close(self, offset: int) -> None:
        """Say that the record at `offset` is finished; one that is not open is finished already."""
        self._open.discard(offset)

    @property
    def pending(self) -> int:
        """How many records are open."""
        return len(self._open)

    @property
    def committable(self) -> int | None:
        """The offset to commit: that of the lowest unfinished record; None before the first record is begun."""
        heap, still_open = self._heap, self._open
        while heap and heap[0] not in still_open:
            heappop(heap)
        return heap[0] if heap else self.reached
