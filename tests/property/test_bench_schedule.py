"""A schedule is fixed: what is due depends on the clock alone, and every record is due once."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kherd.bench.schedule import SECOND, Schedule, quantile

SCHEDULES = st.builds(Schedule, start=st.integers(0, 10**18), rate=st.integers(1, 10_000_000))
VALUES = st.lists(st.floats(0, 1e6), min_size=1, max_size=50).map(sorted)


@given(SCHEDULES, st.integers(0, 10**9))
def test_a_record_is_due_from_its_time_on_and_not_before(schedule: Schedule, number: int) -> None:
    due = schedule.due(number)
    assert schedule.due_by(due) >= number + 1
    assert schedule.due_by(due - 1) <= number


@given(SCHEDULES, st.integers(0, 10**6))
def test_a_second_holds_the_rate(schedule: Schedule, number: int) -> None:
    assert schedule.due(number + schedule.rate) == schedule.due(number) + SECOND


@given(SCHEDULES, st.integers(0, 10**10))
def test_nothing_is_due_before_the_start(schedule: Schedule, early: int) -> None:
    assert schedule.due_by(schedule.start - 1 - early) == 0


@given(SCHEDULES, st.lists(st.integers(0, 10**10), max_size=20), st.integers(0, 5))
def test_latency_counts_from_the_due_time_and_leaves_out_what_never_came(
    schedule: Schedule, late: list[int], first: int
) -> None:
    times = [schedule.due(number) + delay for number, delay in enumerate(late)]
    expected = sorted(delay / SECOND for delay in late[first:])
    assert schedule.latencies(times, first) == expected
    assert schedule.latencies([*times, 0, -5], first) == expected


@given(VALUES, st.floats(0.001, 1))
def test_a_quantile_is_a_value_that_so_many_do_not_exceed(ordered: list[float], share: float) -> None:
    found = quantile(ordered, share)
    assert found in ordered
    assert sum(value <= found for value in ordered) >= math.floor(len(ordered) * share)
    assert quantile(ordered, 1.0) == ordered[-1]


def test_quantiles_are_nearest_ranks() -> None:
    ordered = [float(number) for number in range(1, 1001)]
    assert [quantile(ordered, share) for share in (0.5, 0.99, 0.999, 1.0)] == [500, 990, 999, 1000]
    with pytest.raises(ValueError, match="no quantile"):
        quantile([], 0.5)
