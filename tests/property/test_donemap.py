"""A map comes back as it was, in the fewest bytes of the two ways; a short one claims less, never more."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kherd.worker.decide.donemap import BrokenError, number, pack, spans, take, unpack
from kherd.worker.decide.offsets import WINDOW, Runs, between, length

bases = st.integers(0, 2**62)


@st.composite
def maps(draw: st.DrawFn, base: int = 0) -> Runs:
    """Runs above `base`: from a set of offsets, or from lengths, which gives long ones."""
    bits = draw(st.one_of(st.integers(0, 2**64 - 1), st.integers(0, 2**WINDOW - 1), st.just(2**WINDOW - 1)))
    return spans(bits, base)


@given(bases, st.data())
def test_a_map_comes_back_and_is_never_larger_than_a_bit_per_offset(base: int, data: st.DataObject) -> None:
    done = data.draw(maps(base))
    packed = pack(base, done, 10_000)
    assert unpack(base, packed) == (done, len(packed))
    if done:
        assert len(packed) <= 3 + (done[-1][1] - base + 7) // 8
        assert len(packed) <= 1 + len(number(len(done))) + 4 * len(done)


@given(bases, st.data(), st.integers(1, 600))
def test_in_less_room_it_claims_only_what_is_so(base: int, data: st.DataObject, room: int) -> None:
    done = data.draw(maps(base))
    packed = pack(base, done, room)
    assert len(packed) <= room
    told, end = unpack(base, packed)
    assert end == len(packed)
    finished = {offset for first, upto in done for offset in range(first, upto)}
    assert all(offset in finished for first, upto in told for offset in range(first, upto))
    if len(pack(base, done, 10_000)) <= room:
        assert told == done


@given(st.binary(max_size=40), bases)
def test_any_bytes_are_a_map_of_the_window_or_refused(data: bytes, base: int) -> None:
    try:
        told, end = unpack(base, data)
    except BrokenError:
        return
    assert end <= len(data)
    assert all(base <= first < upto <= base + WINDOW for first, upto in told)
    assert all(before[1] < after[0] for before, after in pairwise(told))


@given(st.integers(0, 2**63 - 1), st.binary(max_size=3))
def test_a_number_comes_back(value: int, before: bytes) -> None:
    assert take(before + number(value), len(before)) == (value, len(before) + len(number(value)))


@pytest.mark.parametrize("data", [b"", b"\x80", b"\xff" * 20], ids=["nothing", "unended", "too long"])
def test_a_number_without_an_end_is_refused(data: bytes) -> None:
    with pytest.raises(BrokenError):
        take(data, 0)


@given(maps())
def test_what_is_between_the_runs_is_all_the_rest(done: Runs) -> None:
    end = done[-1][1] if done else 0
    left = between(0, done)
    assert len(left) + length(done) == end
    assert all(not first <= offset < upto for offset in left for first, upto in done[:20])
