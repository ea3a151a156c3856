"""Reading a board that another process may be writing: a row that will not hold still is left out, never guessed."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final, TypeVar

from .board import (
    DURATIONS,
    IN_FLIGHT,
    IN_FLIGHT_ROWS,
    IN_FLIGHT_WORDS,
    MEMBER,
    NAME_BYTES,
    NONE,
    PARTITIONS,
    TOPIC_ROWS,
    TOPIC_WORDS,
    TOPICS,
    TOTAL_WORDS,
    Board,
    InFlightWord,
    Phase,
    StateWord,
    passed_word,
)
from .boardrow import PartitionWord, rows_in_use
from .counters import COUNTERS, Counter
from .decide import duration

# The supervisor reads them all once a second, of every worker: in one piece, by names that are made once.
_ALL: Final = slice(COUNTERS, MEMBER)
_COUNTERS: Final = (
    *((counter.name.lower(), counter - COUNTERS) for counter in Counter),
    *zip(duration.NAMES, range(DURATIONS - COUNTERS, MEMBER - COUNTERS), strict=True),
)
_IN_FLIGHT_TOPICS: Final = slice(
    IN_FLIGHT + InFlightWord.TOPIC, IN_FLIGHT + IN_FLIGHT_ROWS * IN_FLIGHT_WORDS, IN_FLIGHT_WORDS
)
_POSITION: Final = (InFlightWord.TOPIC, InFlightWord.FIRST, InFlightWord.LAST, InFlightWord.ROW)
READ_ATTEMPTS: Final = 8
Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class InFlight:
    """One handler call under way: records `first` to `last` (inclusive); `since` in monotonic nanoseconds.

    If they are equal it is one record; if it is `loose`, the first one there is at or after that offset.
    """

    topic: str
    partition: int
    first: int
    last: int
    attempt: int
    since: int
    loose: bool = False


@dataclass(frozen=True, slots=True)
class PartitionView:
    """One assigned partition; `done` and `committed` are None while unknown."""

    topic: str
    partition: int
    nonce: int
    done: int | None
    committed: int | None


def phase_of(board: Board) -> Phase:
    """Return the phase; an unknown number reads as BOOTING."""
    value = board.words[StateWord.PHASE]
    return Phase(value) if value in Phase.__members__.values() else Phase.BOOTING


def counters_of(board: Board) -> dict[str, int]:
    """Return every counter by its lower-case name, and the calls of each duration by `duration.NAMES`."""
    return sum_counters([board])


def sum_counters(boards: Iterable[Board]) -> dict[str, int]:
    """Return what `counters_of` does, each summed over `boards`; nothing if there are none."""
    columns = [sum(column) for column in zip(*(board.words[_ALL].tolist() for board in boards), strict=True)]
    return {name: columns[at] for name, at in _COUNTERS} if columns else {}


def member_id_of(board: Board) -> str | None:
    """Return the Kafka member id, None if it is not known (yet)."""
    return steady(board.words, MEMBER, lambda: _text(board.words, MEMBER + 1)) or None


def in_flight_of(board: Board) -> list[InFlight]:
    """Return the handler calls under way."""
    words = board.words
    found = []
    # likewise in one piece: most rows are free
    for row, topic in enumerate(words[_IN_FLIGHT_TOPICS].tolist()):
        if topic == NONE:
            continue
        base = IN_FLIGHT + row * IN_FLIGHT_WORDS
        call = steady(words, base, lambda base=base: _in_flight(words, base))  # type: ignore[misc]
        if call is not None:
            found.append(call)
    return found


def partitions_of(board: Board) -> list[PartitionView]:
    """Return the assigned partitions."""
    words = board.words
    found = []
    for base in rows_in_use(words):
        view = steady(words, base, lambda base=base: _partition(words, base))  # type: ignore[misc]
        if view is not None:
            found.append(view)
    return found


def passed_of(board: Board) -> dict[str, int]:
    """Return how many records of each topic were finished: those that the record loop has not counted yet, too.

    Only whom a loop of calls is under way for is counted by offsets, so gaps in them count as well.
    """
    words, found = board.words, dict[str, int]()
    for index in range(TOPIC_ROWS):
        name = topic_at(words, index)
        if not name:
            break
        found[name] = words[passed_word(index)]
    row = words[IN_FLIGHT + InFlightWord.ROW]
    topic = topic_at(words, words[IN_FLIGHT + InFlightWord.TOPIC])
    if topic in found and PARTITIONS <= row < TOTAL_WORDS:
        found[topic] += max(0, words[row + PartitionWord.DONE] - max(0, words[IN_FLIGHT + InFlightWord.FIRST]))
    return found


def _in_flight(words: memoryview, base: int) -> InFlight | None:
    topic, first, last, row = (words[base + word] for word in _POSITION)
    if PARTITIONS <= row < TOTAL_WORDS:
        first = words[row + PartitionWord.DONE]
    if NONE in {topic, first}:  # free, or about to begin with its first record
        return None
    return InFlight(
        topic=topic_at(words, topic),
        partition=words[base + InFlightWord.PARTITION],
        first=first,
        last=first if last == NONE else last,
        attempt=words[base + InFlightWord.ATTEMPT],
        since=words[base + InFlightWord.SINCE],
        loose=last == NONE,
    )


def _partition(words: memoryview, base: int) -> PartitionView | None:
    if not words[base + PartitionWord.USED]:
        return None
    done, committed = words[base + PartitionWord.DONE], words[base + PartitionWord.COMMITTED]
    return PartitionView(
        topic=topic_at(words, words[base + PartitionWord.TOPIC]),
        partition=words[base + PartitionWord.PARTITION],
        nonce=words[base + PartitionWord.NONCE],
        done=None if done == NONE else done,
        committed=None if committed == NONE else committed,
    )


def steady(words: memoryview, sequence_at: int, read: Callable[[], Row]) -> Row | None:
    """Return what `read` finds while the row's sequence number is even and stays the same."""
    for _ in range(READ_ATTEMPTS):
        before = words[sequence_at]
        if before % 2 == 0:
            row = read()
            if words[sequence_at] == before:
                return row
    return None


def topic_at(words: memoryview, index: int) -> str:
    """Return the topic of that index; empty if there is none."""
    return _text(words, TOPICS + index * TOPIC_WORDS) if 0 <= index < TOPIC_ROWS else ""


def _text(words: memoryview, at: int) -> str:
    length = words[at]
    if not 0 < length <= NAME_BYTES:
        return ""
    return bytes(words.cast("B")[(at + 1) * 8 : (at + 1) * 8 + length]).decode(errors="replace")
