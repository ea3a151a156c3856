"""A ratio claims no more than its rounds show."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kherd.bench.spread import Ratio, ratio

SPEEDS = st.lists(st.floats(1, 1e7), min_size=1, max_size=12)


@settings(max_examples=25, deadline=None)  # 2,000 resamples each
@given(SPEEDS, st.integers())
def test_the_interval_holds_the_median_and_stays_within_what_was_seen(speeds: list[float], seed: int) -> None:
    theirs = [100.0] * len(speeds)
    found = ratio(speeds, theirs, random.Random(seed))
    seen = [one / 100 for one in speeds]
    assert min(seen) <= found.low <= found.high <= max(seen)
    assert min(seen) <= found.median <= max(seen)


@given(st.floats(0, 2), st.floats(0, 2), st.floats(0, 2))
def test_a_verdict_needs_the_whole_interval(one: float, other: float, promise: float) -> None:
    low, high = sorted((one, other))
    verdict = Ratio((low + high) / 2, low, high).verdict(promise)
    assert (verdict == "met") == (low >= promise)
    assert (verdict == "missed") == (high < promise)


def test_rounds_without_a_partner_are_an_error() -> None:
    with pytest.raises(ValueError, match="zip"):
        ratio([1.0], [], random.Random(0))
    with pytest.raises(ValueError, match="at least one round"):
        ratio([], [], random.Random(0))
