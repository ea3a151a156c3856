from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from kherd.supervisor.decide.readiness import (
    EVENTS,
    TRANSITIONS,
    Event,
    Patience,
    QuorumBooted,
    ReloadEnded,
    State,
    StopBegun,
    Word,
    ask_patience,
    next_ping,
    quorum_booted,
    step,
    stop_seconds,
)

histories = st.lists(st.sampled_from([event() for event in EVENTS]), max_size=40)
seconds = st.floats(min_value=0.001, max_value=10_000)


def words(history: list[Event]) -> list[Word]:
    state, said = State.STARTING, []
    for event in history:
        state, word = step(state, event)
        said += [word] if word else []
    return said


def test_the_table_is_total() -> None:
    assert set(TRANSITIONS) == {(state, event) for state in State for event in EVENTS}


@given(histories)
def test_nothing_is_said_before_the_quorum_but_that_it_stops(history: list[Event]) -> None:
    before = history[: history.index(QuorumBooted())] if QuorumBooted() in history else history
    assert set(words(before)) <= {Word.STOPPING}


@given(histories)
def test_every_reload_after_the_quorum_is_answered_and_nothing_is_ready_twice(history: list[Event]) -> None:
    said = words([QuorumBooted(), *history, ReloadEnded()])
    assert said[0] is Word.READY
    for first, second in pairwise(said):
        if second is Word.READY:
            assert first is Word.RELOADING
    assert said[-1] in {Word.READY, Word.STOPPING}


@given(histories)
def test_stopping_is_said_once_and_is_the_last_word(history: list[Event]) -> None:
    said = words(history)
    assert said.count(Word.STOPPING) == (StopBegun() in history)
    assert Word.STOPPING not in said[:-1]


@given(st.integers(0, 50), st.integers(0, 50), st.integers(0, 50))
def test_the_quorum_is_reached_by_so_many_or_by_all_there_are_to_be(booted: int, wanted: int, quorum: int) -> None:
    assert quorum_booted(booted, wanted, quorum) == (booted >= quorum or booted >= wanted)


@given(st.lists(st.integers(-5, 5), max_size=50), seconds)
def test_patience_is_asked_for_at_new_heights_only(course: list[int], piece: float) -> None:
    patience, asked = Patience(), []
    for progress in course:
        patience, more = ask_patience(patience, progress, piece)
        asked += [progress] if more == piece else []
        assert more in {None, piece}
    assert asked == sorted(set(asked))
    assert len(asked) <= 11
    assert not course or asked[0] == course[0]


@given(st.integers(), st.floats(max_value=0) | st.none())
def test_no_time_left_is_never_asked_for(progress: int, left: float | None) -> None:
    assert ask_patience(Patience(), progress, left)[1] is None


@given(seconds, seconds | st.none(), seconds, seconds)
def test_a_stop_never_asks_beyond_its_deadline_and_margin(
    now: float, deadline: float | None, piece: float, margin: float
) -> None:
    more = stop_seconds(now, deadline, piece, margin)
    if deadline is None:
        assert more is None
    else:
        assert more is not None
        assert more <= piece
        assert more <= deadline - now + margin + 1e-6


@given(st.floats(0.1, 100), st.lists(st.floats(0.01, 1), max_size=60))
def test_life_is_told_within_the_timeout_if_passes_come_when_due(timeout: float, waits: list[float]) -> None:
    now, pinged, told = 0.0, None, [0.0]
    for wait in waits:
        due, again = next_ping(pinged, now, timeout)
        if due:
            pinged = now
            told.append(now)
        assert now < again <= now + timeout / 2 + 1e-9
        now = min(now + wait, again)
    assert all(later - earlier <= timeout / 2 + 1e-6 for earlier, later in pairwise(told))
    assert all(later - earlier >= timeout / 4 for earlier, later in pairwise(told[1:]))
