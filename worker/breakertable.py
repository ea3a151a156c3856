"""The host's circuit breakers: one shared-memory file, made by the supervisor, written by every worker under locks.

It outlives them all: an open breaker stays open over a restart of the herd. CLOCK_MONOTONIC is one for the host, but
begins anew with each boot, so the header names the boot. A file that does not match is made anew, never trusted.

File layout, in words of 8 bytes (version 1):

    0    header   magic version words slots boot (two words) checksum
    64   slots    SLOTS rows of 64: length and checksum of the name, 256 bytes of UTF-8, then `breakerslot`

A name's slot is claimed at its first use in any process, under a lock on byte 0. Only names of kherd's own, which begin
with `~`, give their slot up again, when all are taken: whoever had that name notices, for a slot says whose it is.
"""

import mmap
import os
import zlib
from collections.abc import Iterator
from contextlib import suppress
from enum import IntEnum
from pathlib import Path
from typing import Final, Self

from .breakerslot import SLOT_WORDS, Slot
from .bytelocks import ByteLocks
from .decide.breaker import OWN, Breaker

FILE: Final = "breakers"
MAGIC: Final = 0x6B6865726462  # "kherdb"
VERSION: Final = 1
SLOTS: Final = 64
FIRST: Final = 64
TOTAL_WORDS: Final = FIRST + SLOTS * SLOT_WORDS
SIZE: Final = TOTAL_WORDS * 8
_CLAIMS: Final = 0
"""The byte that is locked while a name is claimed."""
_BOOT: Final = Path("/proc/sys/kernel/random/boot_id")
_HEX: Final = 16


class Header(IntEnum):
    """Words that are written once."""

    MAGIC = 0
    VERSION = 1
    WORDS = 2
    SLOTS = 3
    BOOT_HIGH = 4
    BOOT_LOW = 5
    CHECKSUM = 6


class Table:
    """A mapped file; `fd` stays the caller's."""

    def __init__(self, fd: int) -> None:
        """Map the open file `fd`; raises ValueError if it is too small."""
        self.fd = fd
        self._locks = ByteLocks(fd)
        self._map = mmap.mmap(fd, SIZE)
        self.words = memoryview(self._map).cast("l")

    @classmethod
    def create(cls, path: Path) -> Self:
        """Make the file at `path`, whatever is there, in one step; the table owns its descriptor.

        Raises:
            OSError: no space, or the folder is not writable.
        """
        new = path.with_suffix(".new")
        new.unlink(missing_ok=True)
        fd = os.open(new, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            os.posix_fallocate(fd, 0, SIZE)
            table = cls(fd)
            words = table.words
            words[Header.MAGIC], words[Header.VERSION] = MAGIC, VERSION
            words[Header.WORDS], words[Header.SLOTS] = TOTAL_WORDS, SLOTS
            words[Header.BOOT_HIGH], words[Header.BOOT_LOW] = boot()
            words[Header.CHECKSUM] = _checksum(words)
            new.replace(path)
        except OSError:
            os.close(fd)
            new.unlink(missing_ok=True)
            raise
        return table

    @classmethod
    def open(cls, path: Path) -> Self:
        """Open the file at `path`; the table owns its descriptor.

        Raises:
            FileNotFoundError: there is none.
            OSError: it cannot be opened.
            ValueError: it is too small.
        """
        fd = os.open(path, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
        try:
            os.posix_fallocate(fd, 0, os.fstat(fd).st_size)  # one with holes would be SIGBUS on a full tmpfs
            return cls(fd)
        except (OSError, ValueError):
            os.close(fd)
            raise

    def problem(self) -> str | None:
        """Return what is wrong with it; None if every word is one that this version may have written in this boot."""
        words = self.words
        if words[Header.MAGIC] != MAGIC or words[Header.CHECKSUM] != _checksum(words):
            return "it is no table of circuit breakers, or is damaged"
        if words[Header.VERSION] != VERSION or (words[Header.WORDS], words[Header.SLOTS]) != (TOTAL_WORDS, SLOTS):
            return f"it is of version {words[Header.VERSION]}, this kherd has version {VERSION}"
        return "one of its slots is damaged" if any(slot.damaged for slot in self._slots()) else None

    @property
    def of_this_boot(self) -> bool:
        """Whether its times are those of this boot's clock."""
        return (self.words[Header.BOOT_HIGH], self.words[Header.BOOT_LOW]) == boot()

    def named(self) -> Iterator[tuple[str, Slot]]:
        """Yield the slots that are taken, each with its name."""
        for slot in self._slots():
            name = slot.name
            if name is not None:
                yield name, slot

    def find(self, name: str) -> Slot | None:
        """Return the slot of `name`, if it has one."""
        return next((slot for taken, slot in self.named() if taken == name), None)

    def claim(self, name: str) -> Slot | None:
        """Return the slot of `name`, taken for it if it has none; None if there is no room.

        Raises:
            BlockingIOError: somebody else claims one just now.
            OSError: the descriptor is gone.
        """
        known = self.find(name)
        if known is not None:
            return known
        if not self._locks.take(_CLAIMS):
            raise BlockingIOError
        try:
            known = self.find(name)
            if known is not None:
                return known
            free = next((slot for slot in self._slots() if slot.name is None), None) or self._reclaimed()
            if free is not None:
                free.take(name)
            return free
        finally:
            self._locks.give_back(_CLAIMS)

    def close(self) -> None:
        """Unmap and close the file."""
        with suppress(BufferError):  # a slot of it is still in somebody's hand
            self.words.release()
            self._map.close()
        with suppress(OSError):
            os.close(self.fd)

    def _slots(self) -> Iterator[Slot]:
        for number in range(SLOTS):
            yield Slot(self.words, FIRST + number * SLOT_WORDS, self._locks)

    def _reclaimed(self) -> Slot | None:
        """Return a slot of a name of ours that is at rest, given up; its lock is tried, not waited for."""
        for name, slot in self.named():
            if name.startswith(OWN) and slot.lock():
                try:
                    known = slot.load()
                    if known is None or known.quiet:
                        slot.store(Breaker())
                        slot.leave()
                        return slot
                finally:
                    slot.unlock()
        return None


def mapped(fd: int | None) -> Table | None:
    """Return the table that the supervisor has handed on, None if there is none to be trusted."""
    if fd is None:
        return None
    try:
        table = Table(fd)
    except (OSError, ValueError):
        return None
    return table if table.problem() is None else None


def boot() -> tuple[int, int]:
    """Return which boot of the machine this is, as two words; zeros if the kernel does not tell."""
    try:
        digits = _BOOT.read_text().strip().replace("-", "")
        # The highest bit is left out: a word is signed.
        return int(digits[:_HEX], 16) >> 1, int(digits[_HEX:], 16) >> 1
    except (OSError, ValueError):
        return 0, 0


def _checksum(words: memoryview) -> int:
    return zlib.crc32(bytes(words[: Header.CHECKSUM].cast("B")))
