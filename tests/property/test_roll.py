"""A roll's life: a total table, forward until it is over, accepted at most once, and taken back only before that."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kherd.supervisor.decide import roll as rolls
from kherd.supervisor.decide.roll import (
    EVENTS,
    IGNORE,
    ILLEGAL,
    OVER,
    TRANSITIONS,
    TRYING,
    Action,
    Event,
    IllegalEventError,
    Move,
    Roll,
    State,
    step,
)

seconds = st.floats(0, 100)
slots = st.integers(0, 9)
EVENT_OF: dict[type[Event], st.SearchStrategy[Any]] = {
    rolls.Loaded: st.builds(rolls.Loaded, seconds),
    rolls.Unprotected: st.just(rolls.Unprotected()),
    rolls.Chosen: st.builds(rolls.Chosen, slots, seconds),
    rolls.CanaryReady: st.builds(rolls.CanaryReady, seconds),
    rolls.CanaryLost: st.builds(rolls.CanaryLost, seconds),
    rolls.CanaryRetired: st.builds(rolls.CanaryRetired, seconds),
    rolls.Failed: st.just(rolls.Failed("it cannot be imported")),
    rolls.Elapsed: st.builds(rolls.Elapsed, seconds),
    rolls.AllReady: st.just(rolls.AllReady()),
    rolls.Abandon: st.just(rolls.Abandon("the herd is stopping")),
}
events = st.sampled_from(EVENTS).flatmap(EVENT_OF.__getitem__)
histories = st.lists(events, max_size=40)
WITH_CANARY = (State.CANARY, State.SETTLING)


def started() -> Roll:
    return Roll(generation=2, back_to=1)


def live(history: list[Event]) -> list[tuple[Roll, Event, Roll, tuple[Action, ...]]]:
    """Return what each legal event of `history` did to a new roll."""
    roll, lived = started(), list[tuple[Roll, Event, Roll, tuple[Action, ...]]]()
    for now, event in enumerate(history):
        if TRANSITIONS[(roll.state, type(event))] != ILLEGAL:
            after, actions = step(roll, event, float(now))
            lived.append((roll, event, after, actions))
            roll = after
    return lived


def test_every_state_and_event_is_in_the_table() -> None:
    assert set(TRANSITIONS) == {(state, event) for state in State for event in EVENTS}
    assert set(EVENTS) == set(EVENT_OF)
    assert all(isinstance(cell, Move) or cell in {IGNORE, ILLEGAL} for cell in TRANSITIONS.values())


@given(histories)
def test_a_step_leads_only_where_its_cell_says(history: list[Event]) -> None:
    for before, event, after, actions in live(history):
        cell = TRANSITIONS[(before.state, type(event))]
        if isinstance(cell, Move):
            assert after.state in cell.to
            assert (after.generation, after.back_to) == (before.generation, before.back_to)
            assert after.left >= 0
        else:
            assert (after, actions) == (before, ())


@given(st.sampled_from(State), events)
def test_what_cannot_come_is_an_error_and_changes_nothing(state: State, event: Event) -> None:
    if TRANSITIONS[(state, type(event))] == ILLEGAL:
        with pytest.raises(IllegalEventError, match=type(event).__name__):
            step(Roll(2, 1, state), event, 0.0)


@given(histories)
def test_what_is_over_stays_over_and_has_a_reason_unless_it_is_done(history: list[Event]) -> None:
    for before, _, after, actions in live(history):
        if before.state in OVER:
            assert (after, actions) == (before, ())
        assert bool(after.reason) == (after.state in {State.ROLLED_BACK, State.ABANDONED})


@given(histories)
def test_a_generation_is_accepted_once_or_taken_back_once_never_both(history: list[Event]) -> None:
    done = [action for *_, actions in live(history) for action in actions]
    assert done.count(Action.ACCEPT) + done.count(Action.ROLL_BACK) <= 1
    for before, _, after, actions in live(history):
        assert (Action.ACCEPT in actions) == (before.state in TRYING and after.state is State.ROLLING)
        ended = before.state in TRYING and after.state in {State.ROLLED_BACK, State.ABANDONED}
        assert (Action.ROLL_BACK in actions) == ended
        assert (Action.STOP_CANARY in actions) == (before.state is State.CHOOSING and after.state is State.CANARY)


@given(histories)
def test_there_is_a_canary_exactly_while_one_slot_is_tried(history: list[Event]) -> None:
    for _, _, after, _ in live(history):
        if after.state in WITH_CANARY:
            assert after.slot is not None
        if after.state in {State.MOLDING, State.CHOOSING}:
            assert after.slot is None


@given(st.sampled_from(WITH_CANARY), seconds, st.lists(seconds, max_size=20))
def test_the_clock_decides_when_its_seconds_have_been_counted_and_not_before(
    state: State, left: float, passed: list[float]
) -> None:
    roll = Roll(2, 1, state, slot=0, left=left)
    for part in passed:
        roll, actions = step(roll, rolls.Elapsed(part), 0.0)
        left = max(0.0, left - part)
        if left > 0:
            assert (roll.state, roll.left, actions) == (state, left, ())
        elif state is State.SETTLING:
            assert (roll.state, actions) == (State.ROLLING, (Action.ACCEPT,))
            return
        else:
            assert (roll.state, actions) == (State.ROLLED_BACK, (Action.ROLL_BACK,))
            assert "not ready in time" in roll.reason
            return


@given(st.sampled_from(WITH_CANARY), seconds, seconds, seconds)
def test_a_shorter_limit_holds_for_the_roll_under_way(state: State, left: float, passed: float, most: float) -> None:
    before = Roll(2, 1, state, slot=0, left=left)
    assert step(before, rolls.Elapsed(passed, most), 0.0) == step(
        Roll(2, 1, state, slot=0, left=min(left, most)), rolls.Elapsed(passed), 0.0
    )


def test_without_a_time_to_settle_ready_is_enough() -> None:
    roll, actions = step(Roll(2, 1, State.CANARY, slot=0, left=9.0), rolls.CanaryReady(0.0), 5.0)
    assert (roll.state, actions) == (State.ROLLING, (Action.ACCEPT,))
