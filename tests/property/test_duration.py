"""Durations of handler calls: every one falls into one bucket, and they add up to what Prometheus wants."""

from hypothesis import given
from hypothesis import strategies as st

from kherd.worker.board import DURATIONS, MEMBER
from kherd.worker.counters import Counter
from kherd.worker.decide.duration import BOUNDS, NAMES, SLOW, bucket, cumulate


def test_there_is_a_word_and_a_name_for_each_bucket() -> None:
    assert max(Counter) < DURATIONS <= MEMBER - len(NAMES)
    assert len(set(NAMES)) == len(BOUNDS) + 1
    assert (NAMES[0], NAMES[1], NAMES[2], NAMES[-1]) == ("quick", "over_1ms", "over_2.5ms", "over_30000ms")


@given(st.floats(0, 1e6) | st.sampled_from(BOUNDS))
def test_a_call_falls_between_the_bounds_of_its_bucket(seconds: float) -> None:
    at = bucket(seconds)
    assert at == 0 or BOUNDS[at - 1] < seconds
    assert at == len(BOUNDS) or seconds <= BOUNDS[at]
    assert (at == 0) == (seconds <= SLOW)


@given(st.lists(st.floats(0, 100)))
def test_the_counts_are_those_of_all_calls_up_to_each_bound(calls: list[float]) -> None:
    counts = [0] * len(NAMES)
    for seconds in calls:
        counts[bucket(seconds)] += 1
    assert cumulate(counts) == [*(sum(one <= bound for one in calls) for bound in BOUNDS), len(calls)]
