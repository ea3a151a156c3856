"""Metadata comes back whole, fits its limit, and is believed only where and as it was written."""

from dataclasses import replace

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from kherd.worker.decide import metadata
from kherd.worker.decide.donemap import spans
from kherd.worker.decide.handover import METADATA, Identity
from kherd.worker.decide.metadata import (
    LEAST,
    LIMIT,
    SHARE,
    Attempts,
    Kind,
    Known,
    Place,
    believe,
    compose,
    merged,
    plain,
    read,
)
from kherd.worker.decide.offsets import WINDOW
from kherd.worker.decide.retry import State

words = st.integers(-(2**63), 2**63 - 1)
identities = st.builds(Identity, words, words, words)
places = st.builds(Place, identities, st.integers(0, 2**31 - 1), st.integers(0, 2**62))
nonces = st.integers(0, 2**63 - 1)
limits = st.one_of(st.integers(0, 200), st.integers(0, LIMIT), st.just(LIMIT))


@st.composite
def states(draw: st.DrawFn) -> State:
    first = draw(st.integers(0, 2**41)) / 1000
    later = draw(st.integers(0, 10**9)) / 1000
    return State(draw(st.integers(0, 10**6)), first, round(first + later, 3), crashes=draw(st.integers(0, 300)))


@st.composite
def known(draw: st.DrawFn, base: int, most: int = 12) -> Known:
    bits = draw(st.one_of(st.just(0), st.integers(0, 2**40), st.integers(0, 2**WINDOW - 1)))
    tried = draw(st.dictionaries(st.integers(0, WINDOW - 1), states(), max_size=most))
    return Known(spans(bits, base), {base + distance: state for distance, state in sorted(tried.items())})


def said(text: str, place: Place) -> Known | None:
    return believe(read(text), place)


@given(nonces, places, st.data())
def test_all_that_is_known_comes_back(nonce: int, place: Place, data: st.DataObject) -> None:
    told = data.draw(known(place.offset))
    text, crowded = compose(nonce, place, told, LIMIT)
    assert read(text).kind is Kind.OURS
    assert read(text).nonce == nonce
    assert crowded == (len(text) > SHARE * LIMIT)
    if not (told.done or told.attempts):
        assert text == METADATA.format(nonce)
        return
    heard = said(text, place)
    assert heard is not None
    assert heard.done == told.done
    assert heard.attempts.keys() == told.attempts.keys()
    for offset, state in told.attempts.items():
        found = heard.attempts[offset]
        assert (found.failures, found.crashes) == (state.failures, state.crashes)
        assert abs(found.first_failure - state.first_failure) < 0.002
        assert abs(found.last_failure - state.last_failure) < 0.002


@given(nonces, places, st.data(), limits)
def test_it_fits_whatever_the_limit_and_claims_only_what_is_so(
    nonce: int, place: Place, data: st.DataObject, limit: int
) -> None:
    told = data.draw(known(place.offset, most=400))
    text, _ = compose(nonce, place, told, limit)
    assert len(text.encode()) <= limit
    note = read(text)
    assert note.nonce == (nonce if text else None)
    if not note.body:
        return
    assert limit >= LEAST
    heard = believe(note, place)
    assert heard is not None
    finished = {offset for first, end in told.done for offset in range(first, end)}
    assert all(offset in finished for first, end in heard.done for offset in range(first, end))
    assert list(heard.attempts) == sorted(told.attempts)[: len(heard.attempts)]  # the nearest


@given(nonces, places, st.data())
def test_of_another_place_nothing_is_believed(nonce: int, place: Place, data: st.DataObject) -> None:
    told = data.draw(known(place.offset))
    text, _ = compose(nonce, place, told, LIMIT)
    assume(read(text).body)
    one = place.identity
    others = (
        replace(place, offset=place.offset + 1),
        replace(place, partition=place.partition + 1),
        replace(place, identity=replace(one, cluster=one.cluster ^ 1)),
        replace(place, identity=replace(one, high=one.high ^ 1)),
        replace(place, identity=replace(one, low=one.low ^ 1)),
    )
    assert said(text, place) is not None
    assert [said(text, other) for other in others] == [None] * 5


@settings(max_examples=25)
@given(nonces, places, st.data())
def test_no_flipped_bit_and_no_truncation_is_believed(nonce: int, place: Place, data: st.DataObject) -> None:
    told = data.draw(known(place.offset, most=3))
    text, _ = compose(nonce, place, told, 200)
    assume(read(text).body)
    for at in range(len(text)):
        for bit in range(7):
            flipped = text[:at] + chr(ord(text[at]) ^ 1 << bit) + text[at + 1 :]
            assert said(flipped, place) is None, (at, bit)
        assert said(text[:at], place) is None
    assert said(text + "0", place) is None


@given(st.one_of(st.none(), st.text(max_size=60), st.from_regex(r"kherd[0-9];.{0,60}", fullmatch=True)))
def test_whatever_else_is_there_is_nobodys_and_never_read(text: str | None) -> None:
    note = read(text)
    if not text:
        assert note.kind is Kind.NONE
    elif not text.startswith("kherd"):
        assert note.kind is Kind.FOREIGN
    if note.kind is not Kind.OURS:
        assert (note.nonce, note.body) == (None, b"")
    elif note.body:
        assert believe(note, Place(Identity(1, 2, 3), 0, 0)) is None


@given(st.binary(max_size=60), places)
def test_any_body_under_a_right_seal_is_read_or_refused(body: bytes, place: Place) -> None:
    """Who has the ids could write anything: it is a map of the window, or nothing."""
    note = metadata.Note(Kind.OURS, 5, metadata._seal(5, place, body), body)
    heard = believe(note, place)
    if heard is not None:
        assert all(place.offset <= first < end <= place.offset + WINDOW for first, end in heard.done)


@given(nonces, limits)
def test_whose_a_commit_is_has_room_or_is_left_out(nonce: int, limit: int) -> None:
    text = plain(nonce, limit)
    assert text == (METADATA.format(nonce) if limit >= 29 else "")


attempts = st.dictionaries(st.integers(0, 5), st.builds(State, st.integers(0, 3), crashes=st.integers(0, 3)))


@given(attempts, attempts)
def test_of_two_accounts_of_a_record_the_later_one_counts(one: Attempts, other: Attempts) -> None:
    both = merged(one, other)
    assert both.keys() == one.keys() | other.keys()
    for offset, state in both.items():
        assert state in (one.get(offset), other.get(offset))
        for account in (one, other):
            if offset in account:
                before = account[offset]
                assert state.failures + state.crashes >= before.failures + before.crashes
