"""Alerts are raised by evidence and cleared by calm; what is unknown is evidence of neither."""

import math

from hypothesis import given
from hypothesis import strategies as st

from kherd.supervisor.decide.alerts import RULES, Cleared, Raised, Rule, State, step, summary

from ..fakes.configs import settings

RULE = Rule("lag", threshold=100, clear_at=50, what="lag", form="{:,} records")
VALUES = st.none() | st.sampled_from([0, 50, 51, 100, 101, 200, math.nan]) | st.integers(0, 200)
GAPS = st.sampled_from([0.0, 5.0, 30.0]) | st.floats(0, 40, allow_nan=False)
RUNS = st.tuples(VALUES, GAPS, st.integers(1, 6))
"""A value read so many times: single readings at random would hardly ever come to a minute of calm."""
READINGS = st.lists(RUNS, max_size=20).map(
    lambda runs: [(value, gap) for value, gap, times in runs for _ in range(times)]
)
Change = Raised | Cleared | None


def run(readings: list[tuple[float | None, float]], rule: Rule = RULE) -> list[tuple[float, float | None, Change]]:
    """Return (time, value, what followed) of each reading; each comes so many seconds after the one before."""
    state, now, seen = State(), 1000.0, []
    for value, seconds in readings:
        now += seconds
        state, change = step(rule, state, value, now)
        seen.append((now, value, change))
    return seen


def known(value: float | None) -> bool:
    return value is not None and not math.isnan(value)


@given(READINGS)
def test_raised_and_cleared_alternate_and_a_raise_is_first(readings: list[tuple[float | None, float]]) -> None:
    changes = [type(change) for _, _, change in run(readings) if change is not None]
    assert changes == [Raised if index % 2 == 0 else Cleared for index in range(len(changes))]


@given(READINGS)
def test_nothing_follows_from_what_is_unknown(readings: list[tuple[float | None, float]]) -> None:
    assert all(known(value) for _, value, change in run(readings) if change is not None)


@given(READINGS)
def test_a_raise_has_two_known_readings_in_a_row_above(readings: list[tuple[float | None, float]]) -> None:
    seen = [(value, change) for _, value, change in run(readings) if known(value)]
    for index, (_, change) in enumerate(seen):
        if isinstance(change, Raised):
            assert index >= 1
            assert all(value is not None and value > RULE.threshold for value, _ in seen[index - 1 : index + 1])


@given(READINGS)
def test_two_known_readings_above_are_always_enough(readings: list[tuple[float | None, float]]) -> None:
    active, above = False, 0
    for _, value, change in run(readings):
        active = isinstance(change, Raised) or (active and not isinstance(change, Cleared))
        if known(value):
            above = above + 1 if value is not None and value > RULE.threshold else 0
        assert active or above < RULE.readings


@given(READINGS)
def test_a_clear_has_a_minute_of_known_calm_since_the_last_reading_over_the_clear_level(
    readings: list[tuple[float | None, float]],
) -> None:
    calm, last = 0.0, None
    for now, value, change in run(readings):
        if not known(value):
            last = None
            continue
        assert value is not None
        if value > RULE.clear_at:
            calm, last = 0.0, None
        else:
            calm += 0.0 if last is None else now - last
            last = now
        if isinstance(change, Cleared):
            assert calm >= RULE.calm - 1e-6


@given(st.lists(st.tuples(st.none() | st.integers(0, 50), GAPS), max_size=60))
def test_a_minute_of_known_calm_always_clears_and_time_through_the_unknown_is_none(
    readings: list[tuple[float | None, float]],
) -> None:
    both: list[tuple[float | None, float]] = [(101, 0.0), (101, 0.0), *readings]
    seen = run(both)
    calm, last, cleared = 0.0, None, False
    for now, value, change in seen[2:]:
        calm += 0.0 if value is None or last is None else now - last
        last = None if value is None else now
        if not cleared:
            assert isinstance(change, Cleared) == (value is not None and calm >= RULE.calm)
        cleared = cleared or isinstance(change, Cleared)


@given(st.lists(st.tuples(st.none() | st.integers(51, 100), st.floats(0, 1000)), max_size=50), st.booleans())
def test_nothing_changes_inside_the_band(readings: list[tuple[float | None, float]], raised: bool) -> None:
    before: list[tuple[float | None, float]] = [(101, 0.0), (101, 0.0)] if raised else []
    assert [change for _, _, change in run(before + readings)][len(before) :] == [None] * len(readings)


@given(READINGS)
def test_the_same_readings_have_the_same_outcome(readings: list[tuple[float | None, float]]) -> None:
    # NaN is not equal to itself
    assert repr(run(readings)) == repr(run(readings))


@given(READINGS, st.integers(0, 60), st.integers(1, 5))
def test_an_unknown_reading_at_the_moment_of_a_known_one_changes_nothing_of_a_raise(
    readings: list[tuple[float | None, float]], at: int, count: int
) -> None:
    with_unknown = readings[:at] + [(None, 0.0)] * count + readings[at:]
    firsts = [
        next((value for _, value, change in run(some) if isinstance(change, Raised)), None)
        for some in (readings, with_unknown)
    ]
    assert firsts[0] == firsts[1]


@given(READINGS, st.integers(1, 200))
def test_what_was_counted_under_another_threshold_counts_no_more(
    readings: list[tuple[float | None, float]], threshold: int
) -> None:
    other = Rule("lag", threshold=threshold, clear_at=threshold / 2, what="lag", form="{:,}")
    state, now = State(), 0.0
    for value, seconds in readings:
        now += seconds
        state, _ = step(RULE, state, value, now)
    after, change = step(other, state, 0 if state.active else 200, now + 1000)
    assert change is None or other == RULE
    assert after.active == state.active or other == RULE


@given(st.sampled_from(sorted(RULES)), st.integers(1, 10**9))
def test_every_rule_of_the_table_has_its_own_name_a_band_and_a_sentence(name: str, above: int) -> None:
    text = f"lag.alert_above = {above}\ndead_letter.alert_above = {above}\nalerts.error_rate_above = {1 / above}"
    rule = RULES[name](settings(text))
    assert rule.name == name
    assert rule.clear_at < rule.threshold
    for state in ("raised", "active", "cleared"):
        assert rule.what in summary(rule, rule.threshold, state)
