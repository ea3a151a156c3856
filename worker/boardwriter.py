"""The worker's hand on its board: one writer, plain stores, rows under their sequence number."""

import struct
from collections.abc import Mapping
from typing import Final

from .board import (
    ATTEMPT_ROWS,
    ATTEMPT_WORDS,
    DURATIONS,
    IN_FLIGHT,
    IN_FLIGHT_ROWS,
    IN_FLIGHT_WORDS,
    MEMBER,
    NAME_BYTES,
    NONE,
    PARTITION_ROWS,
    PARTITION_WORDS,
    PARTITIONS,
    SCRATCH,
    TOPIC_ROWS,
    TOPIC_WORDS,
    TOPICS,
    WINDOW_WORDS,
    Board,
    InFlightWord,
    Phase,
    StateWord,
)
from .boardrow import ATTEMPTS_AT, WINDOW_AT, PartitionWord, seal_of
from .clock import NANOSECONDS, read_ns
from .counters import Counter
from .decide.duration import bucket
from .decide.handover import Commit, Identity

# plain integers: arithmetic on an IntEnum costs more than the store it is for
_HEARTBEAT: Final = int(StateWord.HEARTBEAT)
_PHASE: Final = int(StateWord.PHASE)
_PHASE_SINCE: Final = int(StateWord.PHASE_SINCE)
_TOPIC: Final = int(InFlightWord.TOPIC)
_ROW_SINCE: Final = IN_FLIGHT + int(InFlightWord.SINCE)
_BUSY_NS: Final = int(Counter.BUSY_NS)

_UNKNOWN: Final = (
    PartitionWord.LEADER_EPOCH,
    PartitionWord.DONE,
    PartitionWord.COMMITTED,
    PartitionWord.SENT,
    PartitionWord.BASE_NONCE,
    PartitionWord.BASE_OFFSET,
    PartitionWord.WINDOW_FROM,
)
_NO_ATTEMPTS: Final = memoryview(NONE.to_bytes(8, "little", signed=True) * (ATTEMPT_ROWS * ATTEMPT_WORDS)).cast("l")
_NO_WINDOW: Final = memoryview(bytes(WINDOW_WORDS * 8)).cast("l")

_ROW: Final = struct.Struct("@7q")
"""TOPIC to ROW of an in-flight row, in one call."""
assert [InFlightWord.TOPIC, InFlightWord.ROW] == [1, 7]

FIRST_WORD: Final = IN_FLIGHT + int(InFlightWord.FIRST)
"""Of in-flight row 0, for the record loop: see `InFlightWord`."""


class BoardWriter:
    """Writes one board. A partition's row index is its handle: stores of `DONE` and `COMMITTED` go through it."""

    def __init__(self, board: Board) -> None:
        self.board = board
        self.words = board.words
        self.current_phase = Phase.BOOTING
        self._topics: dict[str, int] = {}
        self._rows: dict[tuple[str, int], int] = {}
        self._free = list(range(PARTITION_ROWS - 1, -1, -1))

    def phase(self, phase: Phase) -> None:
        """Say what the worker does from now on; also a heartbeat."""
        self.current_phase = phase
        words, now = self.words, read_ns()
        words[_PHASE_SINCE] = now
        words[_PHASE] = phase
        words[_HEARTBEAT] = now

    def beat(self) -> None:
        """Say that the loop is alive."""
        self.words[_HEARTBEAT] = read_ns()

    def add(self, counter: Counter, amount: int = 1) -> None:
        """Raise a running total."""
        self.words[counter] += amount

    def took(self, seconds: float) -> None:
        """Note how long a handler call took."""
        self.words[DURATIONS + bucket(seconds)] += 1

    def busy(self, seconds: float) -> None:
        """Note a handler call that took `seconds`, as time spent too."""
        self.words[_BUSY_NS] += int(seconds * NANOSECONDS)
        self.took(seconds)

    def since(self, now: float) -> None:
        """Say that the call of in-flight row 0 has begun at `now`, in monotonic seconds."""
        self.words[_ROW_SINCE] = int(now * NANOSECONDS)

    def put(self, counter: Counter, value: int) -> None:
        """Set a gauge."""
        self.words[counter] = value

    def put_waited(self, seconds: float) -> None:
        """Say for how long a stuck commit has been waited for; 0: none is stuck."""
        self.words[StateWord.COMMIT_WAITED] = int(seconds * NANOSECONDS)

    def member(self, member_id: str) -> None:
        """Write the Kafka member id; an id over 256 bytes is left out (a notice then goes by instance id)."""
        data = member_id.encode()
        if len(data) > NAME_BYTES:
            return
        self.words[MEMBER] += 1
        _put_text(self.words, MEMBER + 1, data)
        self.words[MEMBER] += 1

    def topic(self, name: str) -> int:
        """Return the index of topic `name`, NONE if the table is full."""
        known = self._topics.get(name)
        if known is not None:
            return known
        index = len(self._topics)
        if index >= TOPIC_ROWS:
            return NONE
        _put_text(self.words, TOPICS + index * TOPIC_WORDS, name.encode())
        self._topics[name] = index
        return index

    def start_call(  # noqa: PLR0917 - once per record in places: keywords cost a tenth of it
        self, row: int, topic: int, partition: int, first: int, last: int, attempt: int
    ) -> None:
        """Enter one handler call into in-flight row `row`: records `first` to `last`, inclusive, or `first` alone."""
        self._enter(row, topic, partition, first, last, attempt, NONE)

    def start_records(self, topic: int, partition: int, first: int, base: int | None) -> None:
        """Enter a series of calls, a record each, into in-flight row 0.

        The caller stores what is done after each record, in `done_word(base)`, or in `FIRST_WORD` if `base` is None,
        and says at least once per `pulse.GLANCE` since when there is one under way.
        """
        self._enter(0, topic, partition, first, NONE, 1, NONE if base is None else base)

    def _enter(  # noqa: PLR0917 - as above
        self, row: int, topic: int, partition: int, first: int, last: int, attempt: int, base: int
    ) -> None:
        words, at = self.words, IN_FLIGHT + row * IN_FLIGHT_WORDS
        sequence = words[at]
        words[at] = sequence + 1
        _ROW.pack_into(words, (at + _TOPIC) * 8, topic, partition, first, last, attempt, read_ns(), base)
        words[at] = sequence + 2

    def end_call(self, row: int) -> None:
        """Clear in-flight row `row`."""
        self.words[IN_FLIGHT + row * IN_FLIGHT_WORDS + _TOPIC] = NONE

    def assign(self, topic: str, partition: int, nonce: int) -> int | None:
        """Give an assigned partition a row; return the index of its first word, None if the board is full.

        `done_word` and `committed_word` take that index.
        """
        index = self.topic(topic)
        if index == NONE or not self._free:
            self.add(Counter.UNTRACKED)
            return None
        row = self._free.pop()
        self._rows[(topic, partition)] = row
        words, base = self.words, PARTITIONS + row * PARTITION_WORDS
        words[base] += 1
        words[base + PartitionWord.TOPIC] = index
        words[base + PartitionWord.PARTITION] = partition
        words[base + PartitionWord.TOPIC_ID_HIGH] = words[base + PartitionWord.TOPIC_ID_LOW] = 0
        words[base + PartitionWord.NONCE] = nonce
        for unknown in _UNKNOWN:
            words[base + unknown] = NONE
        words[base + PartitionWord.BASED] = words[base + PartitionWord.CLUSTER] = 0
        words[base + ATTEMPTS_AT : base + WINDOW_AT] = _NO_ATTEMPTS
        words[base + WINDOW_AT : base + PARTITION_WORDS] = _NO_WINDOW
        words[base + PartitionWord.SEAL] = seal_of(words, base)
        words[base + PartitionWord.USED] = 1
        words[base] += 1
        return base

    def base(self, base: int, commit: Commit) -> None:
        """Write the commit that an assignment begins with into its row."""
        nonce = NONE if commit.nonce is None else commit.nonce
        offset = NONE if commit.offset is None else commit.offset
        words = {PartitionWord.BASE_NONCE: nonce, PartitionWord.BASE_OFFSET: offset, PartitionWord.BASED: 1}
        self._amend(base, words)

    def identify(self, base: int, identity: Identity) -> None:
        """Write which topic it is into a row."""
        high, low = PartitionWord.TOPIC_ID_HIGH, PartitionWord.TOPIC_ID_LOW
        self._amend(base, {PartitionWord.CLUSTER: identity.cluster, high: identity.high, low: identity.low})

    def _amend(self, base: int, amended: Mapping[PartitionWord, int]) -> None:
        words = self.words
        words[base] += 1
        for word, value in amended.items():
            words[base + word] = value
        words[base + PartitionWord.SEAL] = seal_of(words, base)
        words[base] += 1

    def unassign(self, topic: str, partition: int) -> None:
        """Free the row of a partition that is revoked or lost."""
        row = self._rows.pop((topic, partition), None)
        if row is None:
            self.add(Counter.UNTRACKED, -1 if self.words[Counter.UNTRACKED] else 0)
            return
        self.words[PARTITIONS + row * PARTITION_WORDS + PartitionWord.USED] = 0
        self._free.append(row)


def end_calls(board: Board) -> None:
    """Clear every in-flight row of a board whose worker is dead: what was in flight has been taken note of."""
    for row in range(IN_FLIGHT_ROWS):
        board.words[IN_FLIGHT + row * IN_FLIGHT_WORDS + _TOPIC] = NONE


def done_word(base: int | None) -> int:
    """Return where `DONE` of the row at `base` is stored."""
    return SCRATCH if base is None else base + int(PartitionWord.DONE)


def sent_word(base: int | None) -> int:
    """Return where `SENT` of the row at `base` is stored."""
    return SCRATCH if base is None else base + int(PartitionWord.SENT)


def epoch_word(base: int | None) -> int:
    """Return where `LEADER_EPOCH` of the row at `base` is stored."""
    return SCRATCH if base is None else base + int(PartitionWord.LEADER_EPOCH)


def committed_word(base: int | None) -> int:
    """Return where `COMMITTED` of the row at `base` is stored."""
    return SCRATCH if base is None else base + int(PartitionWord.COMMITTED)


def _put_text(words: memoryview, at: int, data: bytes) -> None:
    """Write `data` and then its length: a reader that sees the length sees the text."""
    words.cast("B")[(at + 1) * 8 : (at + 1) * 8 + len(data)] = data
    words[at] = len(data)
