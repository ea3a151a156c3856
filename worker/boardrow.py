"""A partition's row on the board, and the seal by which a row is told from random words."""

import zlib
from enum import IntEnum
from typing import Final

from .board import ATTEMPT_ROWS, ATTEMPT_WORDS, PARTITION_WORDS, PARTITIONS, TOTAL_WORDS, WINDOW_WORDS


class PartitionWord(IntEnum):
    """One assigned partition; `USED` is 0 in a free row. Offsets are NONE while unknown."""

    SEQUENCE = 0
    USED = 1
    TOPIC = 2
    PARTITION = 3
    TOPIC_ID_HIGH = 4
    TOPIC_ID_LOW = 5
    NONCE = 6
    LEADER_EPOCH = 7
    DONE = 8
    """Every record below this offset is finished: handled, its outputs and dead letters acknowledged."""
    COMMITTED = 9
    """The last offset a commit of ours was acknowledged for."""
    SENT = 10
    """The highest offset a commit of ours was sent for; stored before it is sent."""
    BASE_NONCE = 11
    """Of the commit this assignment began with; NONE if its metadata named none."""
    BASE_OFFSET = 12
    """The offset of that commit; NONE if there was none."""
    BASED = 13
    """1 once the two are known, else 0."""
    CLUSTER = 14
    """The cluster (`decide.handover.cluster_word` of its id), 0 while unknown, as the topic's id is."""
    SEAL = 15
    """A checksum of what identifies the row (`SEALED`): a row of random words is no row."""
    WINDOW_FROM = 16
    """The offset from which on the window's bits count, NONE before there was any: see `boardwindow`."""


ATTEMPTS_AT: Final = 17
"""Where, in a row, the attempts begin: see `boardattempts`."""
WINDOW_AT: Final = ATTEMPTS_AT + ATTEMPT_ROWS * ATTEMPT_WORDS
assert WINDOW_AT + WINDOW_WORDS == PARTITION_WORDS

_USED: Final = slice(PARTITIONS + PartitionWord.USED, TOTAL_WORDS, PARTITION_WORDS)
SEALED: Final = (
    PartitionWord.TOPIC,
    PartitionWord.PARTITION,
    PartitionWord.TOPIC_ID_HIGH,
    PartitionWord.TOPIC_ID_LOW,
    PartitionWord.NONCE,
    PartitionWord.BASE_NONCE,
    PartitionWord.BASE_OFFSET,
    PartitionWord.BASED,
    PartitionWord.CLUSTER,
)
"""Words of a partition's row that change only under its sequence number."""


def rows_in_use(words: memoryview) -> list[int]:
    """Return where the rows that are in use begin; looked at in one piece, for most of 512 are free."""
    return [PARTITIONS + row * PARTITION_WORDS for row, used in enumerate(words[_USED].tolist()) if used]


def seal_of(words: memoryview, base: int) -> int:
    """Return what `SEAL` of the partition row at `base` has to be."""
    return zlib.crc32(b"".join(words[base + word].to_bytes(8, "little", signed=True) for word in SEALED))
