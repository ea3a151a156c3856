"""Pauses by operators under any sequence of commands: what is paused is what was asked for and not undone since."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kherd.supervisor.decide.halts import (
    DocumentError,
    Halts,
    InsideError,
    Place,
    from_document,
    halted,
    pause,
    resume,
    sentence,
    to_document,
    told,
    unknown,
)

TOPICS = ["orders", "payments", "x"]
KEYS = [(topic, number) for topic in TOPICS for number in range(3)]
topics = st.sampled_from(TOPICS)
places = st.one_of(st.just(Place()), topics.map(Place), st.builds(Place, topics, st.integers(0, 2)))
commands = st.lists(st.tuples(st.booleans(), places), max_size=12)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


def paused(halts: Halts) -> set[tuple[str, int]]:
    return {key for key in KEYS if halted(halts).covers(key)}


def inside(place: Place) -> set[tuple[str, int]]:
    return {key for key in KEYS if place.holds(Place(*key))}


def after(done: list[tuple[bool, Place]]) -> Halts:
    halts: Halts = {}
    for at, (on, place) in enumerate(done):
        try:
            halts = pause(halts, place, float(at)) if on else resume(halts, place)
        except InsideError:
            continue
    return halts


@given(commands, places)
def test_a_pause_adds_just_its_place_and_keeps_since_when_the_rest_is(
    done: list[tuple[bool, Place]], place: Place
) -> None:
    before = after(done)
    now = pause(before, place, 99.0)
    assert paused(now) == paused(before) | inside(place)
    assert all(since == before[known] for known, since in now.items() if known in before)
    assert pause(now, place, 100.0) is now


@given(commands, places)
def test_a_resume_takes_just_its_place_or_nothing_and_says_what_to_do(
    done: list[tuple[bool, Place]], place: Place
) -> None:
    before = after(done)
    wider = [known for known in before if known.holds(place) and known != place]
    if wider:
        with pytest.raises(InsideError, match="`kherd resume") as refusal:
            resume(before, place)
        assert str(wider[0]) in str(refusal.value)
    else:
        assert paused(resume(before, place)) == paused(before) - inside(place)


@given(commands)
def test_resuming_everything_always_ends_everything(done: list[tuple[bool, Place]]) -> None:
    halts = after(done)
    assert resume(halts, Place()) == {}


@given(commands)
def test_no_pause_holds_another(done: list[tuple[bool, Place]]) -> None:
    halts = after(done)
    assert not [(one, other) for one in halts for other in halts if one != other and one.holds(other)]


@given(commands)
def test_the_document_survives_the_way_and_is_of_one_application(done: list[tuple[bool, Place]]) -> None:
    halts = after(done)
    document = json.loads(json.dumps(to_document(halts, "orders")))
    assert from_document(document, "orders") == halts
    with pytest.raises(DocumentError, match="application 'orders', not 'payments'"):
        from_document(document, "payments")


@given(JSON | JSON.map(lambda rows: {"version": 1, "app": "orders", "paused": [rows]}))
def test_any_other_document_is_refused_in_words(document: Any) -> None:
    with pytest.raises(DocumentError) as refusal:
        from_document(document, "orders")
    assert len(str(refusal.value)) < 200


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"version": 2}, "version 2, not 1"),
        ({"version": True}, "version True"),
        ({"paused": {}}, "no list of pauses"),
        ({"paused": [{"topic": "a b", "partition": None, "since": 1}]}, "'a b' is no topic"),
        ({"paused": [{"topic": "a", "partition": -1, "since": 1}]}, "-1 is no partition"),
        ({"paused": [{"topic": None, "partition": 1, "since": 1}]}, "1 is no partition"),
        ({"paused": [{"topic": "a", "partition": True, "since": 1}]}, "True is no partition"),
        ({"paused": [{"topic": "a", "partition": None, "since": float("nan")}]}, "nan is no time"),
        ({"paused": [{"topic": "a", "partition": None, "since": -1.0}]}, "-1.0 is no time"),
        ({"paused": [{"topic": "a", "partition": None}]}, "is no pause"),
    ],
)
def test_what_is_wrong_with_a_document_is_named(changes: dict[str, Any], says: str) -> None:
    with pytest.raises(DocumentError) as refusal:
        from_document({"version": 1, "app": "orders", "paused": [], **changes}, "orders")
    assert says in str(refusal.value)


def test_a_document_that_holds_a_place_twice_over_is_read_as_the_wider_one() -> None:
    rows = [{"topic": "a", "partition": 1, "since": 1}, {"topic": "a", "partition": None, "since": 2}]
    assert from_document({"version": 1, "app": "o", "paused": rows}, "o") == {Place("a"): 2.0}


@given(places, st.dictionaries(topics, st.integers(1, 2)), st.sets(topics))
def test_a_place_is_unknown_only_if_the_topics_are_known_and_it_is_none_of_them(
    place: Place, known: dict[str, int], configured: set[str]
) -> None:
    problem = unknown(place, known, configured)
    there = place.topic in known and (place.partition is None or place.partition < known[place.topic])
    expected = place.topic in configured and place.topic not in known
    assert (problem is None) == (place.topic is None or not known or there or expected)


def test_an_unknown_place_is_told_with_the_nearest_or_with_what_there_is() -> None:
    known = {"orders": 4, "payments": 1}
    assert unknown(Place("order"), known, ()) == "no topic order is consumed here: did you mean orders?"
    assert unknown(Place("zzz"), known, ()) == "no topic zzz is consumed here: there is orders, payments"
    assert unknown(Place("orders", 4), known, ()) == "there is no orders[4]: orders has 4 partitions, 0 to 3"
    many = {f"t{number}": 1 for number in range(14)}
    assert (unknown(Place("qq"), many, ()) or "").endswith(", t5 and 4 more topics")


@given(commands)
def test_every_pause_is_told_with_its_earliest_time(done: list[tuple[bool, Place]]) -> None:
    halts = after(done)
    phrases = told(halts)
    assert len(phrases) == len({place.topic for place in halts})
    assert [since for _, since in phrases] == sorted(since for _, since in phrases)
    assert min(halts.values(), default=None) == min((since for _, since in phrases), default=None)


def test_a_sentence_is_bounded() -> None:
    assert sentence({}) == ""
    assert sentence({Place(): 1.0}) == "everything"
    halts: Halts = {Place("a", number): 1.0 for number in range(30)} | {Place(f"t{n}"): 2.0 for n in range(30)}
    assert "a[0,1,2,3,4,5,6,7,8,9] and 20 more partitions of it" in sentence(halts)
    assert sentence(halts).endswith(" and 21 more topics")
