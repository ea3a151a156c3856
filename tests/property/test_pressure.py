"""Pauses follow what is wanted in one step, touch nothing that is not ours, and do not flap at a bound."""

from hypothesis import given
from hypothesis import strategies as st

from kherd.worker.decide.pressure import Key, Policy, pressed, reconcile, spares

keys: st.SearchStrategy[set[Key]] = st.sets(st.tuples(st.sampled_from(["a", "b"]), st.integers(0, 3)))
amounts = st.integers(0, 10_000)


@given(owned=keys, wanted=keys, applied=keys, fresh=keys)
def test_after_one_step_exactly_the_wanted_ones_are_paused(
    owned: set[Key], wanted: set[Key], applied: set[Key], fresh: set[Key]
) -> None:
    change = reconcile(owned=owned, wanted=wanted, applied=applied, fresh=fresh)
    assert change.pause | change.resume <= owned
    assert not change.pause & change.resume
    assert ((applied | change.pause) - change.resume) & owned == wanted & owned
    assert wanted & owned & fresh <= change.pause, "a new assignment may have forgotten its pause"


@given(owned=keys, wanted=keys, applied=keys)
def test_a_second_step_changes_nothing(owned: set[Key], wanted: set[Key], applied: set[Key]) -> None:
    first = reconcile(owned=owned, wanted=wanted, applied=applied, fresh=set())
    second = reconcile(
        owned=owned, wanted=wanted, applied=(applied | first.pause) - first.resume, fresh=frozenset[Key]()
    )
    assert not second.pause
    assert not second.resume


@given(amounts, amounts, amounts, amounts, st.booleans())
def test_above_a_bound_always_and_below_half_of_both_never(
    most: int, most_bytes: int, records: int, size: int, before: bool
) -> None:
    now = pressed(Policy(most, most_bytes), before, records=records, size=size)
    if records > most or size > most_bytes:
        assert now
    if records <= most / 2 and size <= most_bytes / 2:
        assert not now
    if not before and records <= most and size <= most_bytes:
        assert not now


@given(amounts, amounts, amounts, amounts)
def test_what_has_nothing_in_flight_goes_on_up_to_twice_a_bound(
    most: int, most_bytes: int, records: int, size: int
) -> None:
    assert spares(Policy(most, most_bytes), records=records, size=size) == (
        records <= 2 * most and size <= 2 * most_bytes
    )
