"""The window of a partition's row: which offsets above `DONE` are finished, a bit each, true at every moment.

An offset's bit is at its number modulo WINDOW. `WINDOW_FROM`, never above `DONE`, says which offsets the bits stand for
now: those from it on. First `DONE` moves, then the bits that it has passed are cleared, then `WINDOW_FROM` follows; so
a process that dies between any two stores leaves a window that claims nothing that is not so. Whoever reads the board
of a process that lives has to see the same `WINDOW_FROM` before and after.
"""

from collections.abc import Iterable
from typing import Final

from .board import NONE, WINDOW_WORDS
from .boardrow import WINDOW_AT, PartitionWord
from .decide.donemap import spans
from .decide.offsets import WINDOW, Runs

BITS: Final = 64
_SIGNED: Final = 1 << BITS - 1
_ALL: Final = (1 << BITS) - 1
assert WINDOW_WORDS * BITS == WINDOW


class Window:
    """The writer's side, for the row at `row`."""

    __slots__ = ("_bits", "_done_word", "_from", "_from_word", "_words", "top")

    def __init__(self, words: memoryview, row: int) -> None:
        self._words = words
        self._bits = row + WINDOW_AT
        self._from_word = row + int(PartitionWord.WINDOW_FROM)
        self._done_word = row + int(PartitionWord.DONE)
        self._from = 0
        self.top = 0
        """One past the highest offset whose bit is set, 0 if there is none."""

    def follow(self, done: int, news: Iterable[tuple[int, int]]) -> None:
        """Store that everything below `done` is finished, and above it what is in `news`, as far as there is room."""
        self._words[self._done_word] = done
        if self.top and done != self._from:
            self._clear(done)
        for first, end in news:
            if end > done:
                self._set(max(first, done), end, done)

    def _clear(self, done: int) -> None:
        for at, mask in _masks(self._from, min(done, self.top)):
            self._words[self._bits + at] &= ~mask
        self._words[self._from_word] = self._from = done
        if self.top <= done:
            self.top = 0

    def _set(self, first: int, end: int, done: int) -> None:
        if not self.top:
            self._words[self._from_word] = self._from = done
        end = min(end, self._from + WINDOW)
        for at, mask in _masks(first, end):
            self._words[self._bits + at] |= mask
        self.top = max(self.top, end if first < end else 0)


def runs_of(words: memoryview, row: int, done: int) -> Runs:
    """Return what the row at `row` says is finished above `done`, which is its `DONE`."""
    start = words[row + int(PartitionWord.WINDOW_FROM)]
    if start == NONE or not 0 <= start <= done:
        return ()
    at = row + WINDOW_AT
    ring = sum((word & _ALL) << number * BITS for number, word in enumerate(words[at : at + WINDOW_WORDS].tolist()))
    turn = start % WINDOW
    bits = (ring >> turn | ring << WINDOW - turn) & (1 << WINDOW) - 1
    return tuple((max(done, first), end) for first, end in spans(bits, start) if end > done)


def _masks(first: int, end: int) -> list[tuple[int, int]]:
    """Return the words that hold `first` up to `end`, by their number in the window, each with a signed mask."""
    found = []
    while first < end:
        offset = first % BITS
        upto = min(end, first - offset + BITS)
        mask = _ALL >> BITS - (upto - first) << offset
        found.append((first // BITS % WINDOW_WORDS, mask - (1 << BITS) if mask & _SIGNED else mask))
        first = upto
    return found
