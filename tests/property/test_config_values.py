"""Durations and sizes: what is written is read back exactly."""

import math
from contextlib import suppress

from hypothesis import example, given
from hypothesis import strategies as st

from kherd.supervisor.config.types import (
    LARGEST,
    LONGEST,
    format_duration,
    format_size,
    parse_duration,
    parse_flag,
    parse_property,
    parse_size,
    parse_whole,
)

anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.dates() | st.binary(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)


@given(st.floats(0, LONGEST))
@example(0.0)
@example(0.1)
@example(1.001)
@example(5e-324)
@example(LONGEST)
def test_a_duration_comes_back_exactly(seconds: float) -> None:
    assert parse_duration(format_duration(seconds)) == seconds


@given(st.integers(0, 10**8), st.sampled_from(["ms", "s", "m", "h", "d"]))
def test_a_written_duration_keeps_its_meaning(number: int, unit: str) -> None:
    length = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86_400}[unit]
    if number * length <= LONGEST:
        assert math.isclose(parse_duration(f"{number}{unit}"), number * length)


@given(st.integers(0, LARGEST))
def test_a_size_comes_back_exactly(size: int) -> None:
    assert parse_size(format_size(size)) == size


@given(anything)
def test_no_value_is_a_traceback(value: object) -> None:
    for parse in (parse_duration, parse_size, parse_whole, parse_flag, parse_property):
        with suppress(ValueError):
            parse(value)
