"""The barrier: nobody waits longer than promised, strict notices hold, new slots pass together."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from kherd.supervisor.decide.barrier import GROUP_SECONDS, NOTICE_SECONDS, Waiting, open_gates

times = st.floats(0, 10)
herds = st.lists(
    st.builds(
        Waiting,
        slot=st.integers(0, 50),
        booted=st.none() | times,
        notice=st.none() | times,
        strict=st.booleans(),
        fresh=st.booleans(),
    ),
    max_size=8,
    unique_by=lambda one: one.slot,
)
LATE = 10 + NOTICE_SECONDS + GROUP_SECONDS


def _held(one: Waiting) -> bool:
    return one.notice is not None and one.strict


@given(herds, times)
def test_only_who_has_booted_passes(waiting: list[Waiting], now: float) -> None:
    passing, again = open_gates(waiting, now)
    booted = [one.slot for one in waiting if one.booted is not None]
    assert [slot for slot in booted if slot in passing] == passing
    assert again is None or again > now


@given(herds)
def test_nobody_waits_longer_than_promised_and_the_wake_up_is_enough(waiting: list[Waiting]) -> None:
    here = {one.slot for one in waiting if one.booted is not None}
    now, passed = 0.0, set[int]()
    for _ in range(2 * len(waiting) + 2):
        passing, again = open_gates([one for one in waiting if one.slot not in passed], now)
        passed.update(passing)
        if again is None:
            break
        now = again
    assert now <= LATE
    assert passed == {one.slot for one in waiting if one.slot in here and not _held(one)}


@given(herds, times)
def test_a_strict_notice_holds_until_it_is_answered(waiting: list[Waiting], now: float) -> None:
    passing, _ = open_gates(waiting, now + LATE)
    held = {one.slot for one in waiting if _held(one)}
    assert not held & set(passing)
    answered = [replace(one, notice=None) for one in waiting]
    passing, again = open_gates(answered, now + LATE)
    assert set(passing) == {one.slot for one in waiting if one.booted is not None}
    assert again is None


@given(times, times)
def test_an_ordinary_notice_is_waited_for_a_second_and_no_longer(asked: float, now: float) -> None:
    passing, again = open_gates([Waiting(0, booted=0.0, notice=asked)], now)
    if now >= asked + NOTICE_SECONDS:
        assert (passing, again) == ([0], None)
    else:
        assert (passing, again) == ([], asked + NOTICE_SECONDS)


@given(st.lists(times, min_size=1, max_size=8), st.integers(1, 3))
def test_new_slots_wait_for_each_other_and_then_pass_together(arrived: list[float], missing: int) -> None:
    there = [Waiting(slot, booted=at, fresh=True) for slot, at in enumerate(arrived)]
    late = [Waiting(100 + slot, booted=None, fresh=True) for slot in range(missing)]
    limit = min(arrived) + GROUP_SECONDS
    passing, again = open_gates([*there, *late], min(arrived))
    assert (passing, again) == ([], limit)
    assert open_gates([*there, *late], limit)[0] == [one.slot for one in there]
    assert open_gates(there, max(arrived))[0] == [one.slot for one in there]


@given(times, times)
def test_a_slot_that_comes_back_does_not_wait_for_new_ones(booted: float, now: float) -> None:
    back = Waiting(0, booted=booted)
    new = Waiting(1, booted=None, fresh=True)
    assert open_gates([back, new], now) == ([0], None)
