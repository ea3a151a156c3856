"""Restarting: at once if it was steady, else ever later, and never what shall stay down."""

import random

from hypothesis import given
from hypothesis import strategies as st

from kherd.supervisor.decide.restart import (
    BACKOFF_INITIAL,
    JITTER,
    Again,
    End,
    Failures,
    Hold,
    RestartPolicy,
    StayDown,
    backoff,
    plan_restart,
)

seeds = st.integers(0, 2**32).map(random.Random)
policies = st.builds(
    RestartPolicy,
    backoff_max=st.floats(0.1, 300),
    intensity=st.integers(0, 20),
    period=st.floats(1, 600),
)
ends = st.builds(
    End,
    wanted=st.booleans(),
    asked=st.booleans(),
    steady=st.booleans(),
    permanent=st.none() | st.just("bad handler"),
    blamed=st.booleans(),
)
failures = st.builds(
    Failures,
    in_a_row=st.integers(0, 1000),
    recent=st.lists(st.floats(0, 1000), max_size=30).map(lambda times: tuple(sorted(times))),
)
nows = st.floats(1000, 2000)
FAILED = End(wanted=True, asked=False, steady=False)


@given(policies, failures, ends, nows, seeds)
def test_the_first_rule_that_applies_decides(
    policy: RestartPolicy, before: Failures, end: End, now: float, rng: random.Random
) -> None:
    plan, after = plan_restart(policy, before, end, now, rng)
    if not end.wanted:
        assert plan == StayDown()
    elif end.asked or end.blamed:
        assert plan == Again(now)
    elif end.permanent is not None:
        assert plan == Hold(end.permanent)
    elif end.steady:
        assert plan == Again(now)
    else:
        assert isinstance(plan, Again)
        assert plan.at > now
    if end.wanted and not isinstance(plan, Hold) and plan == Again(now):
        assert after == Failures(0, before.recent)


@given(policies, failures, nows, seeds)
def test_a_failed_start_counts_once_and_old_ones_are_forgotten(
    policy: RestartPolicy, before: Failures, now: float, rng: random.Random
) -> None:
    plan, after = plan_restart(policy, before, FAILED, now, rng)
    assert after.in_a_row == before.in_a_row + 1
    assert after.recent[-1] == now
    assert all(now - at < policy.period for at in after.recent)
    assert len(after.recent) == 1 + sum(now - at < policy.period for at in before.recent)
    assert isinstance(plan, Again)
    assert plan.degraded == (len(after.recent) > policy.intensity)
    if plan.degraded:
        assert plan.at == now + policy.backoff_max


@given(st.integers(0, 20), st.floats(1, 600), seeds)
def test_intensity_is_borne_and_one_more_within_the_period_is_too_many(
    intensity: int, period: float, rng: random.Random
) -> None:
    policy = RestartPolicy(intensity=intensity, period=period)
    found = Failures()
    for number in range(intensity + 1):
        plan, found = plan_restart(policy, found, FAILED, 1000 + number * period / (intensity + 2), rng)
        assert isinstance(plan, Again)
        assert plan.degraded == (number == intensity)
    plan, _ = plan_restart(policy, found, FAILED, 1000 + 3 * period, rng)
    assert isinstance(plan, Again)
    assert plan.degraded == (intensity == 0)


@given(st.floats(0.01, 1000), st.integers(1, 5000), seeds)
def test_backoff_doubles_within_its_jitter_and_is_capped(longest: float, count: int, rng: random.Random) -> None:
    waited = backoff(longest, count, rng)
    exact = BACKOFF_INITIAL * 2 ** min(count - 1, 30)
    assert min(longest, exact * (1 - JITTER)) <= waited <= min(longest, exact * (1 + JITTER))
    if count <= 30:  # the shortest wait after one failure more is no shorter: jitter never turns the order round
        assert backoff(longest, count + 1, rng) >= waited
