"""Deliveries that fail end: after so many attempts, after so much time, or when another attempt cannot help."""

import random

from hypothesis import given
from hypothesis import strategies as st

from kherd.supervisor.decide.delivery import Again, GiveUp, Policy, plan

POLICIES = st.builds(Policy, st.integers(1, 30), st.floats(1, 1000), st.floats(0.5, 100))
GENERATORS = st.builds(random.Random, st.integers())


@given(POLICIES, GENERATORS, st.floats(0, 60))
def test_failures_in_a_row_end_in_bounded_number_and_time(policy: Policy, rng: random.Random, takes: float) -> None:
    began = now = 1000.0
    for failures in range(1, policy.attempts + 1):
        now += takes
        answer = plan(policy, failures, final=False, began=began, now=now, rng=rng)
        if isinstance(answer, GiveUp):
            assert answer.reason
            return
        assert now < answer.at <= now + policy.backoff_max
        assert answer.at <= began + policy.seconds
        now = answer.at
    raise AssertionError("more attempts than there may be")


@given(POLICIES, st.integers(1, 100), GENERATORS)
def test_what_will_never_be_taken_is_not_tried_again(policy: Policy, failures: int, rng: random.Random) -> None:
    assert isinstance(plan(policy, failures, final=True, began=0.0, now=0.0, rng=rng), GiveUp)


@given(GENERATORS)
def test_a_first_failure_is_tried_again_within_a_second(rng: random.Random) -> None:
    answer = plan(Policy(), 1, final=False, began=0.0, now=10.0, rng=rng)
    assert isinstance(answer, Again)
    assert 10.0 < answer.at <= 11.0
