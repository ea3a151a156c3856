"""A verdict says no more than the interval shows, and turning a promise around turns nothing else."""

import random
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from kherd.bench.promises.pickup import either
from kherd.bench.promises.promise import STATISTICS, Measured, Promise, judge, judge_each, verdict
from kherd.bench.spread import LEAST_ROUNDS

FIGURES = st.floats(-1e6, 1e6)
VALUES = st.lists(FIGURES, max_size=30)
STATISTIC = st.sampled_from(sorted(STATISTICS))
VERDICT = st.sampled_from(["met", "missed", "inconclusive"])


def promise(limit: float, *, least: bool = False) -> Promise:
    return Promise("one", "what it says", "whom", limit, "x", "at least" if least else "at most")


@settings(max_examples=15)  # 2,000 resamples each
@given(VALUES, FIGURES, STATISTIC, st.booleans(), st.integers())
def test_a_verdict_is_what_the_whole_interval_says(
    values: list[float], limit: float, statistic: str, least: bool, seed: int
) -> None:
    found = judge(promise(limit, least=least), values, statistic, random.Random(seed))  # type: ignore[arg-type]
    if len(values) < LEAST_ROUNDS:
        assert found.verdict == "inconclusive"
        assert found.problem is not None
        assert (found.measured is None) == (not values)
        return
    of = found.measured
    assert of is not None
    assert (of.n, found.problem) == (len(values), None)
    slack = 1e-9 * max(1.0, *map(abs, values))  # a mean of equal values may lie a bit beside them
    assert min(values) - slack <= of.low <= of.high <= max(values) + slack
    assert min(values) - slack <= of.value <= max(values) + slack
    inside = (of.low >= limit) if least else (of.high <= limit)
    outside = (of.high < limit) if least else (of.low > limit)
    assert found.verdict == ("met" if inside else "missed" if outside else "inconclusive")


@given(st.floats(-100, 100), st.floats(0, 10), FIGURES, st.integers(1, 50))
def test_an_upper_limit_is_a_lower_one_turned_around(low: float, wide: float, limit: float, n: int) -> None:
    measured = Measured("median", low, low, low + wide, low, n)
    mirrored = replace(measured, low=-measured.high, high=-measured.low)
    assert verdict(promise(limit), measured) == verdict(promise(-limit, least=True), mirrored)


@given(VALUES, FIGURES)
def test_one_value_beyond_is_enough_where_each_has_to_be_kept(values: list[float], limit: float) -> None:
    found = judge_each(promise(limit), values)
    if any(value > limit for value in values):
        assert found.verdict == "missed"
    else:
        assert found.verdict == ("met" if len(values) >= LEAST_ROUNDS else "inconclusive")


@given(VERDICT, VERDICT)
def test_of_two_one_has_to_be_kept(one: str, other: str) -> None:
    found = either(one, other)  # type: ignore[arg-type]
    assert (found == "met") == ("met" in {one, other})
    assert (found == "missed") == (one == other == "missed")
    assert found == either(other, one)  # type: ignore[arg-type]
