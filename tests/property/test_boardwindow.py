"""Between any two stores of its writer, a window claims nothing unfinished; after them, all that it has room for."""

from array import array
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from kherd.worker.board import ATTEMPT_ROWS, NONE, PARTITION_WORDS
from kherd.worker.boardattempts import MOST_CRASHES, MOST_FAILURES, Attempts, attempts_of
from kherd.worker.boardrow import PartitionWord
from kherd.worker.boardwindow import Window, runs_of
from kherd.worker.decide.offsets import WINDOW, Offsets, Runs
from kherd.worker.decide.retry import State

ROW = 3


class Words(array):  # type: ignore[type-arg] # of machine words
    """A row among others, looked at after every store."""

    look: Any = None

    def __setitem__(self, at: Any, value: Any) -> None:
        super().__setitem__(at, value)
        if self.look is not None:
            self.look()


def row() -> Words:
    words = Words("q", bytes(8 * (ROW + PARTITION_WORDS + 3)))
    words[ROW + PartitionWord.WINDOW_FROM] = NONE
    words[ROW + PartitionWord.DONE] = NONE
    return words


def offsets_in(runs: Runs) -> set[int]:
    return {offset for first, end in runs for offset in range(first, end)}


def told(words: Any) -> set[int]:
    return offsets_in(runs_of(words, ROW, words[ROW + PartitionWord.DONE]))


steps = st.lists(
    st.tuples(
        st.sampled_from(["open", "open", "open", "close", "close", "lowest", "run", "plain"]), st.integers(0, 900)
    ),
    max_size=60,
)


@given(steps, st.integers(0, 2**40))
def test_a_window_is_true_between_any_two_stores(actions: list[tuple[str, int]], base: int) -> None:
    words: Any = row()
    window, offsets = Window(words, ROW), Offsets()
    offsets.reach(base)
    still_open: list[int] = []
    beyond: set[int] = set()

    def true() -> None:
        done = words[ROW + PartitionWord.DONE]
        top = offsets.reached or 0
        assert done <= (min(still_open) if still_open else top)
        assert not told(words) & set(still_open)
        assert not told(words) or max(told(words)) < top

    words.look = true
    for action, number in actions:
        top = offsets.reached or 0
        if action == "open":
            offsets.open(top + number % 3)
            still_open.append(top + number % 3)
        elif action == "close" and still_open:
            offsets.close(still_open.pop(number % len(still_open)))
        elif action == "lowest" and still_open:
            offsets.close(still_open.pop(0))
        elif action == "run":
            offsets.reach(top + 1 + number)
        elif action == "plain" and not still_open:
            offsets.reach(top + 1 + number)
            words[ROW + PartitionWord.DONE] = offsets.reached  # as the record loop does it
        still_open.sort()
        done = offsets.committable
        assert done is not None
        window.follow(done, offsets.news)
        offsets.news = []
        beyond |= set(range(done + WINDOW, offsets.reached or 0))
        assert offsets_in(offsets.runs()) - told(words) <= beyond
        assert not any(words[:ROW])
        assert not any(words[ROW + PARTITION_WORDS :])


@given(st.lists(st.integers(0, 2**63 - 1), min_size=64, max_size=64), st.integers(-2, 2**62), st.integers(0, 2**62))
def test_any_words_read_as_runs_of_the_window_above_what_is_done(bits: list[int], start: int, done: int) -> None:
    words: Any = row()
    for at, word in enumerate(bits):
        words[ROW + PARTITION_WORDS - 64 + at] = word
    words[ROW + PartitionWord.WINDOW_FROM] = start
    runs = runs_of(words, ROW, done)
    assert all(done <= first < end <= start + WINDOW for first, end in runs)


tries = st.builds(
    State,
    st.integers(1, MOST_FAILURES),
    st.integers(0, 2**41).map(lambda ms: ms / 1000),
    st.just(0.0),
    crashes=st.integers(0, MOST_CRASHES),
)


@given(st.lists(st.tuples(st.integers(0, 20), st.one_of(st.none(), tries), st.integers(0, 2**31 - 1)), max_size=40))
def test_attempts_are_those_of_the_lowest_offsets_and_whole_between_any_two_stores(
    actions: list[tuple[int, State | None, int]],
) -> None:
    words: Any = row()
    for at in range(ATTEMPT_ROWS * 3):
        words[ROW + 17 + at] = NONE
    attempts = Attempts(words, ROW)
    history: dict[int, list[State]] = {}
    truth: dict[int, State] = {}

    def whole() -> None:
        for offset, state in attempts_of(words, ROW).items():
            assert any(_same(state, known) for known in history[offset])

    words.look = whole
    for offset, state, seconds in actions:
        if state is None:
            truth.pop(offset, None)
            attempts.drop(offset)
        else:
            known = State(state.failures, state.first_failure, state.first_failure + seconds, crashes=state.crashes)
            history.setdefault(offset, []).append(known)
            truth[offset] = known
            attempts.put(offset, known)
        found = attempts_of(words, ROW)
        assert all(_same(found[at], truth[at]) for at in found)
        assert found or not truth
    if len(history) <= ATTEMPT_ROWS:
        assert attempts_of(words, ROW).keys() == truth.keys()


def _same(one: State, other: State) -> bool:
    close = abs(one.first_failure - other.first_failure) < 0.002 and abs(one.last_failure - other.last_failure) < 1.1
    return close and (one.failures, one.crashes) == (other.failures, other.crashes)
