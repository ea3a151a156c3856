"""How often unfinished records were tried: up to ATTEMPT_ROWS of a partition, those with the lowest offsets.

A row is three words: offset (NONE: free), then failures (24 bits), crashes (8 bits) and the whole seconds between
first and last failure (31 bits) in one word, and the first failure in milliseconds since the epoch. It is freed before
it is changed and its offset is stored last, so that what is read of a dead process is whole.
"""

from typing import Final

from .board import ATTEMPT_ROWS, ATTEMPT_WORDS, NONE
from .boardrow import ATTEMPTS_AT
from .decide.retry import State

MS: Final = 1000
MOST_FAILURES: Final = (1 << 24) - 1
MOST_CRASHES: Final = (1 << 8) - 1
MOST_SECONDS: Final = (1 << 31) - 1


class Attempts:
    """The writer's side, for the row at `row`."""

    __slots__ = ("_at", "_words")

    def __init__(self, words: memoryview, row: int) -> None:
        self._words = words
        self._at: dict[int, int | None] = dict.fromkeys(
            range(row + ATTEMPTS_AT, row + ATTEMPTS_AT + ATTEMPT_ROWS * ATTEMPT_WORDS, ATTEMPT_WORDS)
        )
        """The offset that is in each row, by where the row begins."""

    def put(self, offset: int, state: State) -> None:
        """Store the attempts of the record at `offset`; if there is no room, those of the highest offset go."""
        places = {known: at for at, known in self._at.items()}
        at = places.get(offset, places.get(None))
        if at is None:
            highest = max(known for known in places if known is not None)
            if highest < offset:
                return
            at = places[highest]
        words = self._words
        words[at] = NONE
        words[at + 1] = _packed(state)
        words[at + 2] = int(state.first_failure * MS)
        words[at] = self._at[at] = offset

    def drop(self, offset: int) -> None:
        """Forget the record at `offset`: it is finished."""
        for at, known in self._at.items():
            if known == offset:
                self._words[at] = NONE
                self._at[at] = None


def attempts_of(words: memoryview, row: int) -> dict[int, State]:
    """Return the attempts that the row at `row` tells, by offset."""
    found = {}
    for at in range(row + ATTEMPTS_AT, row + ATTEMPTS_AT + ATTEMPT_ROWS * ATTEMPT_WORDS, ATTEMPT_WORDS):
        offset, packed, first = words[at : at + ATTEMPT_WORDS].tolist()
        if offset >= 0 and packed > 0:
            began = first / MS
            failures, crashes, seconds = packed & MOST_FAILURES, packed >> 24 & MOST_CRASHES, packed >> 32
            found[offset] = State(failures, began, began + seconds, crashes=crashes)
    return found


def _packed(state: State) -> int:
    seconds = min(MOST_SECONDS, max(0, int(state.last_failure - state.first_failure)))
    return min(state.failures, MOST_FAILURES) | min(state.crashes, MOST_CRASHES) << 24 | seconds << 32
