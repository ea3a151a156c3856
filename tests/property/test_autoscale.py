"""The threshold policy: within its bounds, still while nothing is known or changes, the same for the same readings."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kherd.autoscale import Decision, Observation, PartitionObservation, ThresholdPolicy, WorkerObservation

INTERVAL = 5.0
CALM = 60.0
HIGH = 1000
LOW = HIGH // 10


@dataclass(frozen=True)
class Reading:
    """What is different from one reading to the next; `lag` None: unknown."""

    lag: int | None
    cap: int = 24
    foreign: int = 0
    valid: bool = True


def seen(reading: Reading, now: float, workers: int = 2) -> Observation:
    half, rest = divmod(reading.lag or 0, 2)
    end = None if reading.lag is None else 500 + half + rest
    return Observation(
        now=now,
        partitions=(
            PartitionObservation("orders", 0, committed=100, end=100 + half, log_start=0),
            PartitionObservation("orders", 1, committed=None, end=end, log_start=500),
        ),
        workers=tuple(WorkerObservation(slot, 0, 0.0, 60.0, steady=True) for slot in range(workers)),
        valid=reading.valid,
        cap=reading.cap,
        foreign=reading.foreign,
    )


def run(policy: ThresholdPolicy, readings: Sequence[Reading], workers: int = 2) -> list[Decision]:
    return [policy.decide(seen(reading, n * INTERVAL, workers)) for n, reading in enumerate(readings)]


def wanted(policy: ThresholdPolicy, readings: Sequence[Reading], workers: int = 2) -> list[int]:
    return [decision.wanted for decision in run(policy, readings, workers)]


def policy_of(bounds: tuple[int, int]) -> ThresholdPolicy:
    return ThresholdPolicy(*bounds, lag_above=HIGH, calm=CALM)


bounds = st.tuples(st.integers(0, 12), st.integers(0, 12)).map(lambda pair: (min(pair), max(pair)))
lags = st.none() | st.sampled_from([0, LOW - 1, LOW, HIGH, HIGH + 1, 9 * HIGH]) | st.integers(0, 2 * HIGH)
readings_of_anything = st.lists(
    st.builds(Reading, lags, st.integers(0, 24), st.integers(0, 24), st.booleans()), max_size=60
)
HIGHS, LOWS = Reading(2 * HIGH), Reading(0)
UNKNOWN = [Reading(None), Reading(2 * HIGH, valid=False), Reading(0, valid=False)]


@given(bounds, readings_of_anything, st.integers(0, 20))
def test_it_stays_inside_its_bounds(limits: tuple[int, int], readings: list[Reading], workers: int) -> None:
    policy = policy_of(limits)
    for number, reading in enumerate(readings):
        found = policy.decide(seen(reading, number * INTERVAL, workers)).wanted
        assert limits[0] <= found <= limits[1]
        if reading.valid and reading.lag is not None:
            assert found <= max(limits[0], reading.cap)


@given(bounds, readings_of_anything, st.integers(0, 20))
def test_it_never_grows_beyond_what_other_members_leave(
    limits: tuple[int, int], readings: list[Reading], workers: int
) -> None:
    policy, before = policy_of(limits), None
    for number, reading in enumerate(readings):
        found = policy.decide(seen(reading, number * INTERVAL, workers)).wanted
        if before is not None and found > before:
            assert found <= reading.cap - reading.foreign
        before = found


@given(bounds, readings_of_anything, st.lists(st.sampled_from(UNKNOWN), min_size=1, max_size=200))
def test_it_holds_while_the_lag_is_unknown(
    limits: tuple[int, int], readings: list[Reading], outage: list[Reading]
) -> None:
    found = wanted(policy_of(limits), [*readings, Reading(LOW), *outage])
    assert set(found[len(readings) :]) == {found[len(readings)]}


@given(bounds, st.integers(0, 5 * HIGH), st.integers(0, 20))
def test_it_changes_at_most_once_while_the_lag_does_not(limits: tuple[int, int], lag: int, workers: int) -> None:
    within = max(limits[0], min(limits[1], workers))
    found = [within, *wanted(policy_of(limits), [Reading(lag)] * 100, workers)]
    assert sum(before != after for before, after in pairwise(found)) <= 1
    assert set(found[50:]) == {found[-1]}


@given(bounds, readings_of_anything)
def test_the_same_observations_give_the_same_decisions(limits: tuple[int, int], readings: list[Reading]) -> None:
    assert run(policy_of(limits), readings) == run(policy_of(limits), readings)


@given(st.lists(st.sampled_from([HIGHS, LOWS, Reading(LOW), *UNKNOWN]), max_size=80))
def test_it_changes_only_for_a_reason_it_can_show(readings: list[Reading]) -> None:
    found = [2, *wanted(ThresholdPolicy(2, 8, HIGH, 6, CALM), readings)]
    for number, (before, after) in enumerate(pairwise(found)):
        if after > before:
            assert (after, readings[number - 1 : number + 1]) == (6, [HIGHS, HIGHS])
        if after < before:
            last_high = max(index for index, one in enumerate(readings[:number]) if one == HIGHS)
            calm = readings[last_high + 1 : number + 1]
            pairs = pairwise(calm)
            assert after == 2
            assert sum(one == next_one == LOWS for one, next_one in pairs) * INTERVAL >= CALM


def test_two_readings_above_the_threshold_raise_it_and_calm_lowers_it() -> None:
    calm = int(CALM / INTERVAL)
    readings = [LOWS, HIGHS, HIGHS, Reading(HIGH // 2), *[LOWS] * calm, LOWS, LOWS]
    assert wanted(ThresholdPolicy(2, 8, HIGH, 6, CALM), readings) == [2, 2, 6, 6, *[6] * calm, 2, 2]


def test_one_high_reading_is_not_enough_and_an_unknown_one_between_two_breaks_the_row() -> None:
    policy = ThresholdPolicy(2, 8, HIGH)
    assert wanted(policy, [HIGHS, Reading(HIGH), HIGHS, UNKNOWN[0], HIGHS, HIGHS]) == [2, 2, 2, 2, 2, 8]


def test_time_with_an_unknown_lag_is_not_calm_and_does_not_undo_calm() -> None:
    calm = int(CALM / INTERVAL)
    readings = [HIGHS, HIGHS, *[LOWS] * calm, UNKNOWN[0], *[LOWS] * 3]
    assert wanted(ThresholdPolicy(2, 8, HIGH, calm=CALM), readings)[-4:] == [8, 8, 2, 2]


def test_a_high_lag_never_takes_workers_away() -> None:
    assert wanted(ThresholdPolicy(2, 9, HIGH, target=4), [HIGHS, HIGHS], workers=7) == [7, 7]


def test_growth_stops_at_the_partitions_and_the_reason_says_so() -> None:
    policy = ThresholdPolicy(2, 8, HIGH)
    last = run(policy, [Reading(2 * HIGH, cap=5, foreign=1)] * 2)[-1]
    assert last == Decision(4, "the lag is above 1000; no partition for more")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"min": 3, "max": 2}, "min must be from 0 to max"),
        ({"min": -1, "max": 2}, "min must be from 0 to max"),
        ({"min": 1, "max": 2, "target": 3}, "target must be from min"),
        ({"min": 1, "max": 2, "lag_above": 0}, "lag_above must be at least 1"),
        ({"min": 1, "max": 2, "calm": -1.0}, "lag_above must be at least 1 and calm at least 0"),
    ],
)
def test_bounds_that_contradict_each_other_are_refused(arguments: dict[str, int], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        ThresholdPolicy(**arguments)
