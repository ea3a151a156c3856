"""Diversions never outrun what was earned, whatever the order; nothing is owed, and saving up has an end."""

import random

from hypothesis import given
from hypothesis import strategies as st

from kherd.worker.decide.diversion import COST, Policy, State, earn, fresh, spend

policies = st.builds(Policy, st.integers(1, 200), st.integers(0, 20), st.integers(1, 50))
SPEND = -1
steps = st.lists(st.one_of(st.just(SPEND), st.integers(0, 500)), max_size=200)


def _run(policy: Policy, state: State, events: list[int]) -> tuple[State, int, int]:
    spent = earned = 0
    for event in events:
        if event != SPEND:
            state = earn(policy, state, event)
            earned += event
        elif (left := spend(policy, state)) is not None:
            state, spent = left, spent + 1
        assert 0 <= state.tokens <= policy.most * policy.cost
    return state, spent, earned


@given(policies, steps)
def test_there_are_never_more_diversions_than_the_start_and_the_successes_pay_for(
    policy: Policy, events: list[int]
) -> None:
    _, spent, earned = _run(policy, fresh(policy), events)
    assert spent <= policy.start + earned / policy.cost


@given(st.integers(0, 400), st.integers(0, 20), st.randoms())
def test_while_there_is_room_and_enough_the_order_does_not_matter(
    successes: int, diversions: int, rng: random.Random
) -> None:
    policy = Policy(cost=COST, start=20, most=1000)
    events = [1] * successes + [SPEND] * diversions
    before = _run(policy, fresh(policy), events)
    rng.shuffle(events)
    assert _run(policy, fresh(policy), events) == before
    assert before[0].tokens == 20 * COST + successes - diversions * COST


@given(policies, st.integers(0, 100_000))
def test_after_enough_successes_one_more_is_always_possible(policy: Policy, before: int) -> None:
    state, *_ = _run(policy, State(min(before, policy.most * policy.cost)), [SPEND] * 60)
    assert spend(policy, state) is None or state.tokens >= policy.cost
    assert spend(policy, earn(policy, state, policy.cost)) is not None


def test_the_policy_is_ten_to_begin_with_and_two_percent_from_then_on() -> None:
    policy = Policy()
    state, spent, _ = _run(policy, fresh(policy), [SPEND] * 11)
    assert (spent, state.tokens) == (10, 0)
    assert spend(policy, earn(policy, state, 49)) is None
    assert spend(policy, earn(policy, state, 50)) == State(0)
