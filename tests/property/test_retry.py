"""Waits grow and stay within their bounds; attempts end exactly when they are used up, and a held record never ends."""

import random

from hypothesis import given
from hypothesis import strategies as st

from kherd.worker.decide.retry import JITTER, Again, GiveUp, Policy, State, backoff, counted, failed, resumed

seconds = st.floats(0.001, 1000, allow_nan=False)
policies = st.builds(
    lambda attempts, initial, most, exhausted: Policy(attempts, initial, max(initial, most), exhausted),
    st.integers(1, 20),
    seconds,
    seconds,
    st.sampled_from(["hold", "dead_letter"]),
)
generators = st.builds(random.Random, st.integers())


@given(policies, st.integers(1, 5000), generators)
def test_a_wait_is_the_doubled_one_with_jitter_and_never_over_the_cap(
    policy: Policy, failures: int, rng: random.Random
) -> None:
    wait = backoff(policy, failures, rng)
    whole = min(policy.backoff_max, policy.backoff_initial * 2.0 ** min(failures - 1, 60))
    assert whole * JITTER <= wait <= whole


@given(policies, generators, st.integers(1, 40))
def test_attempts_end_exactly_when_they_are_used_up(policy: Policy, rng: random.Random, failures: int) -> None:
    state = State()
    for number in range(1, failures + 1):
        before = state
        state, answer = failed(policy, state, now=float(number), after=None, rng=rng)
        assert (state.failures, state.first_failure, state.last_failure) == (number, 1.0, float(number))
        exhausted = number >= policy.max_attempts
        if exhausted and policy.on_exhausted == "dead_letter":
            assert isinstance(answer, GiveUp)
            return
        assert isinstance(answer, Again)
        assert state.held == exhausted
        assert answer.newly_held == (exhausted and not before.held)
        assert not exhausted or answer.seconds == policy.backoff_max


@given(policies, generators, st.floats(0, 1e6))
def test_a_wait_that_was_asked_for_is_kept(policy: Policy, rng: random.Random, after: float) -> None:
    _, answer = failed(policy, State(), now=1.0, after=after, rng=rng)
    assert isinstance(answer, GiveUp) or answer.seconds == after


@given(st.lists(st.floats(0, 1e9), min_size=1))
def test_a_count_remembers_the_first_and_the_last(times: list[float]) -> None:
    state = State()
    for at in times:
        state = counted(state, at)
    assert state == State(len(times), times[0], times[-1])


@given(policies, generators, st.integers(1, 40), st.floats(0, 1e9), st.floats(-1e6, 1e6))
def test_an_earlier_owners_wait_is_waited_to_its_end_and_never_longer_than_a_wait(
    policy: Policy, rng: random.Random, failures: int, last: float, passed: float
) -> None:
    state, wait = resumed(policy, State(failures, last - 1, last), now=last + passed, rng=rng)
    assert (state.failures, state.first_failure, state.last_failure) == (failures, last - 1, last)
    assert state.held == (policy.on_exhausted == "hold" and failures >= policy.max_attempts)
    assert 0 <= wait <= policy.backoff_max
    assert wait == 0 or passed < policy.backoff_max
    if passed <= 0:  # another host's clock may be behind
        assert wait >= min(policy.backoff_initial, policy.backoff_max) * JITTER - 1e-6
