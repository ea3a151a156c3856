"""A partition's assignment: the table is total, and in any order of events each epoch is opened and forgotten once."""

from itertools import product
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kherd.worker.decide.assignment import (
    TRANSITIONS,
    Action,
    Assigned,
    Committed,
    Event,
    IllegalEventError,
    Lost,
    Revoked,
    State,
    step,
)


def test_every_pair_is_written_down() -> None:
    assert set(TRANSITIONS) == set(product(State, get_args(Event)))


@given(st.lists(st.sampled_from([Assigned(), Revoked(), Lost()])))
def test_epochs_never_overlap_and_a_revocation_always_ends_in_letting_go(events: list[Event]) -> None:
    state, opened = State.UNASSIGNED, False
    for event in events:
        following = step(state, event)
        actions = list(following.actions)
        state = following.state
        if Action.COMMIT in actions:  # as the callback does, before it returns
            assert opened
            following = step(state, Committed())
            actions += following.actions
            state = following.state
        for action in actions:
            if action is Action.OPEN:
                assert not opened
                opened = True
            elif action is Action.FORGET:
                assert opened
                opened = False
        assert opened == (state is State.ASSIGNED)


@pytest.mark.parametrize("state", [State.UNASSIGNED, State.ASSIGNED])
def test_an_answer_to_no_revocation_is_a_fault(state: State) -> None:
    with pytest.raises(IllegalEventError):
        step(state, Committed())


@pytest.mark.parametrize(
    ("event", "after"), [(Assigned(), State.ASSIGNED), (Revoked(), State.REVOKING), (Lost(), State.UNASSIGNED)]
)
def test_whatever_comes_during_a_revocation_is_survived(event: Event, after: State) -> None:
    assert step(State.REVOKING, event).state is after
