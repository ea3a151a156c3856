"""The board: one shared-memory file per worker process, written by that process alone, read by everybody.

Every field is one aligned native 8-byte word. A row of several words carries a sequence number in its first word: odd
while the row is being written. The supervisor creates and allocates the file before the process exists (a sparse map
on a full tmpfs would be SIGBUS later) and seals the header with a checksum; a file that does not
match is ignored by its readers, never trusted.

File layout, in words of 8 bytes (version 3; a file of another version is ignored):

    0    header     magic version words life slot incarnation generation partitions in_flight topics created checksum
    16   state      pid heartbeat phase phase_since ready commit_waited, then the counters of `Counter`
    49   durations  a counter per bucket of `decide.duration`
    64   member     sequence, length, 256 bytes of UTF-8
    98   passed     a running total of finished records per topic of the table; the last word is for all further ones
    128  in flight  IN_FLIGHT rows: sequence topic partition first last attempt since row
    ...  topics     TOPICS rows: length, 256 bytes of UTF-8 (append only; a length of 0 is free)
    ...  partitions PARTITIONS rows: see `boardrow.PartitionWord`, then ATTEMPT_ROWS of `boardattempts`, then a window
         of 4096 bits (`boardwindow`)
"""

import mmap
import os
import zlib
from enum import IntEnum
from pathlib import Path
from typing import Final, Self

from . import clock
from .spec import SlotIdentity

MAGIC: Final = 0x6B68657264  # "kherd"
VERSION: Final = 3
HEADER_WORDS: Final = 11
STATE: Final = 16
DURATIONS: Final = 49
"""Handler calls by duration: a running total per bucket of `decide.duration`."""
MEMBER: Final = 64
PASSED: Final = 98
PASSED_WORDS: Final = 30
NAME_WORDS: Final = 32
NAME_BYTES: Final = NAME_WORDS * 8
IN_FLIGHT_ROWS: Final = 256
IN_FLIGHT_WORDS: Final = 8
TOPIC_ROWS: Final = 128
TOPIC_WORDS: Final = 1 + NAME_WORDS
PARTITION_ROWS: Final = 512
ATTEMPT_ROWS: Final = 8
ATTEMPT_WORDS: Final = 3
WINDOW_WORDS: Final = 64
PARTITION_WORDS: Final = 17 + ATTEMPT_ROWS * ATTEMPT_WORDS + WINDOW_WORDS
IN_FLIGHT: Final = 128
TOPICS: Final = IN_FLIGHT + IN_FLIGHT_ROWS * IN_FLIGHT_WORDS
PARTITIONS: Final = TOPICS + TOPIC_ROWS * TOPIC_WORDS
SCRATCH: Final = 15
"""A word that nobody reads: where a store goes that has no place, so that the hot path need not ask."""
TOTAL_WORDS: Final = PARTITIONS + PARTITION_ROWS * PARTITION_WORDS
SIZE: Final = TOTAL_WORDS * 8
NONE: Final = -1


def passed_word(topic: int) -> int:
    """Return where finished records of the topic of that index are counted, which is NONE where the table was full."""
    return PASSED + min(topic % TOPIC_ROWS, PASSED_WORDS - 1)


class Header(IntEnum):
    """Words the supervisor writes before the process exists."""

    MAGIC = 0
    VERSION = 1
    WORDS = 2
    LIFE = 3
    SLOT = 4
    INCARNATION = 5
    GENERATION = 6
    PARTITIONS = 7
    IN_FLIGHT = 8
    TOPICS = 9
    CREATED = 10
    CHECKSUM = 11


class StateWord(IntEnum):
    """Words the worker keeps current; times are CLOCK_MONOTONIC nanoseconds."""

    PID = STATE
    HEARTBEAT = STATE + 1
    PHASE = STATE + 2
    PHASE_SINCE = STATE + 3
    READY = STATE + 4
    COMMIT_WAITED = STATE + 5
    """Nanoseconds for which a commit that is stuck has been waited for, without calls of the handler; 0: none is."""


class Phase(IntEnum):
    """What the worker is doing."""

    BOOTING = 0
    BARRIER = 1
    JOINING = 2
    POLLING = 3
    HANDLING = 4
    COMMITTING = 5
    PAUSED = 6
    DRAINING = 7
    REVOKING = 8
    CLOSING = 9
    """In the handler's `close`."""


class InFlightWord(IntEnum):
    """One handler call: records `first` to `last` of one partition, inclusive; topic is an index, NONE in a free row.

    A `LAST` of NONE means one record alone. With a `ROW`, the index of a partition's row, it is the first record at or
    after the `DONE` there: record by record only that is stored, one whole word, so that every moment reads as one of
    two true rows. Without one it is the first record at or after `FIRST`. `SINCE` of such a series is that of the
    first record, or up to `pulse.GLANCE` before the call began.
    """

    SEQUENCE = 0
    TOPIC = 1
    PARTITION = 2
    FIRST = 3
    LAST = 4
    ATTEMPT = 5
    SINCE = 6
    ROW = 7


class Board:
    """A mapped board file. `words` is the whole of it; the worker stores into it directly on its hot path."""

    def __init__(self, fd: int) -> None:
        """Map the open file `fd`, which stays the caller's; raises ValueError if the file is too small."""
        self._map = mmap.mmap(fd, SIZE)
        # "l", a long, is as wide as "q" on every 64-bit Linux, and stores large numbers in two thirds of the time.
        self.words = memoryview(self._map).cast("l")

    @classmethod
    def create(cls, path: Path, identity: SlotIdentity, generation: int) -> tuple[Self, int]:
        """Create, allocate and seal the file of a process that does not exist yet; return the board and its descriptor.

        Raises:
            FileExistsError: the file is there already.
            OSError: no space, or the folder is not writable.
        """
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            os.posix_fallocate(fd, 0, SIZE)
            board = cls(fd)
        except OSError:
            os.close(fd)
            path.unlink(missing_ok=True)
            raise
        words = board.words
        words[Header.MAGIC], words[Header.VERSION], words[Header.WORDS] = MAGIC, VERSION, TOTAL_WORDS
        words[Header.LIFE], words[Header.SLOT] = identity.life, identity.slot
        words[Header.INCARNATION], words[Header.GENERATION] = identity.incarnation, generation
        words[Header.PARTITIONS], words[Header.IN_FLIGHT] = PARTITION_ROWS, IN_FLIGHT_ROWS
        words[Header.TOPICS], words[Header.CREATED] = TOPIC_ROWS, clock.monotonic_ns()
        for row in range(IN_FLIGHT_ROWS):
            words[IN_FLIGHT + row * IN_FLIGHT_WORDS + InFlightWord.TOPIC] = NONE
        words[Header.CHECKSUM] = _checksum(words)
        return board, fd

    @property
    def valid(self) -> bool:
        """Whether the header is one this version wrote, untouched since."""
        words = self.words
        return (
            words[Header.MAGIC] == MAGIC
            and words[Header.VERSION] == VERSION
            and words[Header.WORDS] == TOTAL_WORDS
            and words[Header.CHECKSUM] == _checksum(words)
        )

    @property
    def identity(self) -> SlotIdentity:
        """Whose board this is."""
        words = self.words
        return SlotIdentity(words[Header.LIFE], words[Header.SLOT], words[Header.INCARNATION])

    def close(self) -> None:
        """Unmap the file."""
        self.words.release()
        self._map.close()


def _checksum(words: memoryview) -> int:
    return zlib.crc32(bytes(words[:HEADER_WORDS].cast("B")))
