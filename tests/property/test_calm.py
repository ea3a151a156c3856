"""Calm: it never shrinks, never counts time through an unknown reading, and is whole where every reading is calm."""

from hypothesis import given
from hypothesis import strategies as st

from kherd.supervisor.decide.calm import Calm

steps = st.lists(st.tuples(st.floats(0, 1000), st.booleans()), max_size=50)


@given(steps)
def test_calm_is_the_time_between_two_calm_readings_in_a_row(readings: list[tuple[float, bool]]) -> None:
    calm, now, expected, before = Calm(), 0.0, 0.0, False
    for seconds, known in readings:
        now += seconds
        after = calm.read(now) if known else calm.interrupt()
        assert after.seconds >= calm.seconds
        expected += seconds if known and before else 0.0
        calm, before = after, known
    assert abs(calm.seconds - expected) < 1e-6


def test_a_clock_that_stands_still_or_goes_back_adds_nothing() -> None:
    assert Calm().read(5.0).read(5.0).read(1.0) == Calm(0.0, 1.0)
