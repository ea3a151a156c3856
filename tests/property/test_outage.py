"""An outage: the table is total, probes are one at a time and further and further apart, its end frees everybody."""

from itertools import product
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kherd.supervisor.decide.outage import (
    ILLEGAL,
    TRANSITIONS,
    Action,
    Deserted,
    Doubted,
    Due,
    Event,
    FailedAlike,
    IllegalEventError,
    Outage,
    Policy,
    Recovered,
    Spread,
    State,
    Unanswered,
    step,
    wait,
)

POLICY = Policy(first=1.0, longest=60.0)
events = st.lists(
    st.sampled_from([Spread(), Doubted(), Due(), FailedAlike(), Unanswered(), Recovered(), Deserted()]), max_size=60
)


def test_every_pair_is_written_down() -> None:
    assert set(TRANSITIONS) == set(product(State, get_args(Event)))


@given(events)
def test_whoever_is_told_to_wait_is_told_when_that_is_over_and_nobody_is_probed_meanwhile(history: list[Event]) -> None:
    outage, assumed, probing = Outage(), False, False
    for now, event in enumerate(history):
        if TRANSITIONS[(outage.state, type(event))] is ILLEGAL:
            with pytest.raises(IllegalEventError):
                step(POLICY, outage, event, float(now))
            continue
        outage, actions = step(POLICY, outage, event, float(now))
        for action in actions:
            if action is Action.ASSUME:
                assert not assumed
                assumed = True
            elif action is Action.RELEASE:
                assert assumed
                assumed = probing = False
            elif action is Action.PROBE:
                assert assumed
                assert not probing
                probing = True
        probing = outage.state is State.PROBING
        assert assumed == (outage.state is not State.WATCHED)


@given(events)
def test_a_record_that_was_handled_ends_it_whatever_was_before(history: list[Event]) -> None:
    outage = Outage()
    for event in history:
        if TRANSITIONS[(outage.state, type(event))] is not ILLEGAL:
            outage, _ = step(POLICY, outage, event, 1.0)
    assert step(POLICY, outage, Recovered(), 2.0)[0] == Outage()


@given(st.integers(0, 200))
def test_probes_get_further_apart_up_to_the_longest_wait(probes: int) -> None:
    outage, _ = step(POLICY, Outage(), Spread(), 0.0)
    now = 0.0
    for number in range(probes):
        assert outage.due == now + min(60.0, 2.0**number)
        now = outage.due
        outage, _ = step(POLICY, outage, Due(), now)
        outage, _ = step(POLICY, outage, FailedAlike(), now)
    assert (outage.probes, outage.since) == (probes, 0.0)
    assert wait(POLICY, probes) <= POLICY.longest


def test_a_probe_without_an_answer_is_followed_by_another_one_soon() -> None:
    outage = Outage(State.PROBING, since=0.0, due=50.0, probes=9)
    assert step(POLICY, outage, Unanswered(), 70.0)[0] == Outage(State.ASSUMED, since=0.0, due=71.0, probes=9)
