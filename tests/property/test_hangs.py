"""A hang is an outage if another worker hangs at once, or another partition in the same place; else a record's."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from kherd.supervisor.decide.hangs import RESTART_SECONDS, Hang, describe, echoes

FEW = 18
"""Handled beside it, so many say nothing yet: two failures weigh more, by the measure of `spread`."""
PLACES = [(("db.py", "ask"),), (("db.py", "ask"), ("app.py", "handle")), (("re.py", "match"),)]
keys = st.frozensets(st.tuples(st.just("orders"), st.integers(0, 3)), max_size=3)
places = st.frozensets(st.sampled_from(PLACES), max_size=2)
hangs = st.builds(Hang, st.integers(0, 2), st.floats(0, 300), keys, places, st.integers(0, FEW))
TIMEOUT, TRIES = 20.0, 3
SOON = (TRIES + 1) * (TIMEOUT + RESTART_SECONDS)


@given(hangs, st.lists(hangs, max_size=5))
def test_only_hangs_of_other_partitions_nearby_say_anything(hang: Hang, others: list[Hang]) -> None:
    for echo in echoes(hang, others, TIMEOUT, TRIES):
        assert hang.keys.isdisjoint(echo.keys)
        assert abs(hang.at - echo.at) <= SOON
        assert echo.slot != hang.slot or hang.places & echo.places
        assert describe(hang, echo)


@given(hangs, st.floats(-TIMEOUT, TIMEOUT), keys)
def test_two_workers_at_once_are_an_outage(hang: Hang, apart: float, others: frozenset[tuple[str, int]]) -> None:
    other = Hang(hang.slot + 1, hang.at + apart, others - hang.keys)
    assert echoes(hang, [other], TIMEOUT + 1e-6, TRIES) == [other]
    assert "hangs as well" in describe(hang, other)


@given(hangs, st.floats(-SOON, SOON), keys)
def test_one_place_in_which_two_partitions_hang_is_an_outage(
    hang: Hang, apart: float, others: frozenset[tuple[str, int]]
) -> None:
    hang = replace(hang, places=hang.places | {PLACES[0]})
    other = replace(hang, at=hang.at + apart * 0.999, keys=others - hang.keys)
    assert echoes(hang, [other], TIMEOUT, TRIES) == [other]


@given(hangs, st.floats(-SOON, SOON), st.integers(0, 2))
def test_one_record_that_hangs_again_is_none_whoever_has_it(hang: Hang, apart: float, slot: int) -> None:
    if hang.keys:
        other = replace(hang, at=hang.at + apart, slot=slot)
        assert echoes(hang, [other], TIMEOUT, TRIES) == []


@given(hangs, st.lists(hangs, max_size=5), st.integers(FEW + 1, 10**6))
def test_no_hang_is_an_outage_while_plenty_is_handled_beside_it(hang: Hang, others: list[Hang], beside: int) -> None:
    assert echoes(replace(hang, beside=beside), others, TIMEOUT, TRIES) == []


@given(hangs, st.floats(SOON * 1.001, 10 * SOON))
def test_what_is_long_ago_says_nothing(hang: Hang, apart: float) -> None:
    other = replace(hang, at=hang.at + apart, slot=hang.slot + 1, keys=frozenset())
    assert echoes(hang, [other], TIMEOUT, TRIES) == []


def test_the_place_is_named() -> None:
    hang = Hang(0, 10.0, frozenset([("a", 0)]), frozenset([PLACES[0]]))
    other = Hang(0, 4.0, frozenset([("a", 1)]), frozenset([PLACES[0]]))
    assert describe(hang, other) == "a call for another partition hung 6 s before in ask (db.py) as well"
