"""One circuit breaker in shared memory: whose it is, and its state in two copies; a single word says which one counts.

A writer, who has the lock, fills the copy that does not count and then stores that word: killed anywhere, it leaves the
state before or the state after. Readers need no lock: a copy that was overwritten meanwhile does not match its seal.
"""

import array
import struct
import zlib
from enum import IntEnum
from typing import Final, Self

from .bytelocks import ByteLocks
from .clock import NANOSECONDS
from .decide.breaker import Breaker, Holder, State

SLOT_WORDS: Final = 64
NAME_BYTES: Final = 256
READ_ATTEMPTS: Final = 8
_RECORD: Final = struct.Struct("@11q")
_COPY_WORDS: Final = 12


class Word(IntEnum):
    """Words of a slot. A length of 0: nobody's."""

    NAME_LENGTH = 0
    NAME_CHECKSUM = 1
    NAME = 2
    HOT = 34
    """0: closed, and no failure to forget. Else serial * 8 + 4 + the number of the copy that counts."""
    COPIES = 40


class Slot:
    """The slot at `base` of `words`; without `locks` it is this process' own, and no lock is needed."""

    __slots__ = ("_base", "_locks", "_words", "hot")

    def __init__(self, words: memoryview, base: int, locks: ByteLocks | None = None) -> None:
        self._words, self._base, self._locks = words, base, locks
        self.hot = words[base + Word.HOT : base + Word.HOT + 1]
        """One word, 0 while a call may just go ahead."""

    @classmethod
    def private(cls) -> Self:
        """Return a slot of this process' own."""
        return cls(memoryview(array.array("l", bytes(8 * SLOT_WORDS))), 0)

    @property
    def shared(self) -> bool:
        """Whether other processes see it."""
        return self._locks is not None

    @property
    def damaged(self) -> bool:
        """Whether it holds what no writer can have left, killed or not."""
        return self.load() is None or (self._words[self._base + Word.NAME_LENGTH] != 0 and self.name is None)

    @property
    def name(self) -> str | None:
        """Whose it is; None if it is nobody's."""
        length = self._words[self._base + Word.NAME_LENGTH]
        if not 0 < length <= NAME_BYTES:
            return None
        data = bytes(self._text[:length])
        if zlib.crc32(data) != self._words[self._base + Word.NAME_CHECKSUM]:
            return None
        return data.decode(errors="replace")

    @property
    def _text(self) -> memoryview:
        at = self._base + Word.NAME
        return self._words[at : at + NAME_BYTES // 8].cast("B")

    def take(self, name: str) -> None:
        """Make it that of `name`, of at most NAME_BYTES bytes, in the state that it has."""
        data = name.encode()
        self._text[: len(data)] = data
        self._words[self._base + Word.NAME_CHECKSUM] = zlib.crc32(data)
        self._words[self._base + Word.NAME_LENGTH] = len(data)

    def leave(self) -> None:
        """Make it nobody's."""
        self._words[self._base + Word.NAME_LENGTH] = 0

    def lock(self) -> bool:
        """Take the lock if no other process has it.

        Raises:
            OSError: the table's descriptor is gone.
        """
        return self._locks is None or self._locks.take(self._base * 8)

    def unlock(self) -> None:
        """Give the lock back."""
        if self._locks is not None:
            self._locks.give_back(self._base * 8)

    def load(self) -> Breaker | None:
        """Return the state; None if what is there is none, or does not hold still."""
        for _ in range(READ_ATTEMPTS):
            hot = self.hot[0]
            found = self._read(hot & 1)
            if self.hot[0] == hot and found is not None:
                return found
        return None

    def store(self, breaker: Breaker) -> None:
        """Write the state; only with the lock."""
        now, quiet = self.hot[0], breaker.quiet
        if quiet and not now & 1:
            # What is quiet counts in copy 0: if that one counts already, it is left first.
            self._write(1, breaker)
            self.hot[0] = _hot(breaker, 1)
        copy = 0 if quiet else 1 - (now & 1)
        self._write(copy, breaker)
        self.hot[0] = 0 if quiet else _hot(breaker, copy)

    def copy(self) -> "Slot":
        """Return a slot of this process' own, in the same state."""
        made = Slot.private()
        made.store(self.load() or Breaker())
        return made

    def _read(self, copy: int) -> Breaker | None:
        words = self._words[self._at(copy) : self._at(copy) + _COPY_WORDS].tolist()
        if not any(words):  # never written to
            return Breaker()
        if words[-1] != _seal(words[:-1]) or words[1] not in State.__members__.values():
            return None
        serial, state, failures, since, until, timeout, pid, started, trips, open_ns, _ = words[:-1]
        return Breaker(
            State(state),
            serial,
            failures,
            since / NANOSECONDS,
            until / NANOSECONDS,
            timeout / NANOSECONDS,
            Holder(pid, started),
            trips,
            open_ns / NANOSECONDS,
        )

    def _write(self, copy: int, breaker: Breaker) -> None:
        times = (breaker.since, breaker.until, breaker.timeout, breaker.open_seconds)
        since, until, timeout, open_ns = (round(seconds * NANOSECONDS) for seconds in times)
        holder = breaker.holder
        words = [
            breaker.serial, int(breaker.state), breaker.failures, since, until, timeout, holder.pid, holder.started,
            breaker.trips, open_ns, 0,
        ]  # fmt: skip
        at = self._at(copy)
        _RECORD.pack_into(self._words, at * 8, *words)
        self._words[at + _COPY_WORDS - 1] = _seal(words)

    def _at(self, copy: int) -> int:
        return self._base + Word.COPIES + copy * _COPY_WORDS


def _hot(breaker: Breaker, copy: int) -> int:
    return breaker.serial * 8 + 4 + copy


def _seal(words: list[int]) -> int:
    return zlib.crc32(struct.pack(f"@{len(words)}q", *words))
