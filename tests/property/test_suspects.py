"""Suspects under any sequence of deaths: whoever killed alone is counted, whoever did not is let go, nobody twice."""

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kherd.supervisor.decide import suspects as decide
from kherd.supervisor.decide.halts import DocumentError
from kherd.supervisor.decide.suspects import MOST, Suspects
from kherd.worker.decide.handover import Identity
from kherd.worker.decide.suspects import Report, Suspect, Verdict, decode, encode, find, first_of

KEYS = [("orders", 0), ("orders", 1), ("x", 0)]
OFFSETS = range(12)
IDENTITIES = [None, Identity(1, 2, 3), Identity(1, 2, 4)]


def report(at: float = 5.0) -> Report:
    return Report("SIGSEGV", "CRASH", "worker 0", at, at, signal="SIGSEGV", peak_rss=1, stack="s")


def one(key: tuple[str, int], first: int, last: int | None = None, **fields: Any) -> Suspect:
    return Suspect(*key, first, first if last is None else last, **fields)


keys = st.sampled_from(KEYS)
singles = st.builds(one, keys, st.sampled_from(OFFSETS), loose=st.booleans())
ranges = st.builds(
    lambda key, first, more: one(key, first, first + more), keys, st.sampled_from(OFFSETS), st.integers(0, 4)
)
deaths = st.one_of(singles.map(lambda call: [call]), st.lists(ranges, max_size=4))
moves = st.one_of(
    st.tuples(st.just("death"), deaths),
    st.tuples(st.just("acquit"), ranges),
    st.tuples(st.just("pass_by"), st.dictionaries(keys, st.sampled_from(OFFSETS))),
    st.tuples(st.just("commit_by"), st.dictionaries(keys, st.none() | st.sampled_from(OFFSETS))),
    st.tuples(st.just("left"), st.lists(ranges, max_size=3)),
    st.tuples(st.just("judge"), st.integers(0, 2)),
)
histories = st.lists(moves, max_size=12)


def after(history: list[Any]) -> Suspects:
    suspects: Suspects = ()
    for name, what in history:
        if name == "death":
            suspects, _ = decide.accuse(suspects, what, report())
        elif name == "left":
            suspects = decide.suspect(suspects, what)
        elif name == "judge":
            suspects = decide.judge(suspects, 1, what)
        else:
            suspects = getattr(decide, name)(suspects, what)
    return suspects


def covered(suspects: Suspects) -> list[tuple[Any, int]]:
    return [(suspect.key, offset) for suspect in suspects for offset in range(suspect.first, suspect.last + 1)]


def firm(suspects: Suspects) -> Suspects:
    """Those of which it is known which records they are."""
    return tuple(suspect for suspect in suspects if not suspect.loose)


@given(histories)
def test_no_record_is_suspected_twice_and_only_single_ones_have_deaths_of_their_own(history: list[Any]) -> None:
    suspects = after(history)
    assert len(covered(firm(suspects))) == len(set(covered(firm(suspects))))
    assert all(suspect.crashes == 0 or suspect.alone for suspect in suspects)
    assert all(suspect.first <= suspect.last for suspect in suspects)


@given(histories, singles)
def test_a_death_with_one_record_in_flight_is_that_records(history: list[Any], call: Suspect) -> None:
    before = after(history)
    suspects, told = decide.accuse(before, [call], report(9.0))
    [guilty] = told
    assert (guilty.key, guilty.first, guilty.last, guilty.loose) == (call.key, call.first, call.last, call.loose)
    known = find((own for own in before if own.key == call.key and not own.loose), call.first, None)
    assert guilty.crashes >= (known.crashes if known else 0) + 1
    assert guilty.report is not None
    assert guilty.report.last == 9.0
    assert suspects[-1] == guilty
    assert set(covered(firm(before))) - {(call.key, call.first)} <= set(covered(suspects))


@given(st.integers(1, 5), st.booleans())
def test_deaths_of_one_record_add_up_from_the_first(number: int, loose: bool) -> None:
    suspects: Suspects = decide.accuse((), [one(KEYS[0], 3, 8)], report(1.0))[0]
    for death in range(number):
        call = one(KEYS[0], 5, loose=loose and not death)
        suspects, (guilty,) = decide.accuse(suspects, [call], report(10.0 + death))
    assert guilty.crashes == number
    assert guilty.report is not None
    assert (guilty.report.first, guilty.report.last) == (10.0, 9.0 + number)
    assert sorted(covered(suspects)) == [(KEYS[0], offset) for offset in range(3, 9)]


@given(histories, st.lists(ranges, min_size=2, max_size=4))
def test_a_death_with_several_in_flight_counts_for_nobody_and_suspects_all(
    history: list[Any], calls: list[Suspect]
) -> None:
    before = after(history)
    suspects, told = decide.accuse(before, calls, report())
    assert sum(suspect.crashes for suspect in suspects) == sum(suspect.crashes for suspect in before)
    assert set(covered(tuple(calls))) <= set(covered(suspects))
    assert set(told) <= set(suspects)
    assert all(suspect.crashes == 0 for suspect in told)


def test_a_record_that_was_looked_for_behind_a_gap_is_found() -> None:
    suspects, _ = decide.accuse((), [one(KEYS[0], 5, loose=True)], report())
    suspects, [guilty] = decide.accuse(suspects, [one(KEYS[0], 9)], report())
    assert (guilty.first, guilty.crashes, guilty.loose) == (9, 2, False)
    assert suspects == (guilty,)


def test_one_that_is_condemned_is_not_taken_for_the_next_one() -> None:
    suspects, _ = decide.accuse((), [one(KEYS[0], 5, loose=True)], report())
    suspects = decide.judge(suspects, 1, 1)
    suspects, _ = decide.accuse(suspects, [one(KEYS[0], 6)], report())
    assert [suspect.crashes for suspect in suspects] == [1, 1]


@given(singles, st.sampled_from([0, 1]))
def test_one_that_is_to_be_put_aside_stays_so_until_that_is_committed(call: Suspect, quota: int) -> None:
    suspects = decide.judge(decide.accuse((), [call], report())[0], 1, quota)
    assert suspects[0].verdict is not Verdict.PENDING
    assert decide.acquit(suspects, call) == suspects
    assert decide.pass_by(suspects, {call.key: call.first + 1}) == suspects
    assert decide.commit_by(suspects, {call.key: call.first + 1}) == ()


def test_suspects_of_a_topic_that_was_made_anew_are_forgotten() -> None:
    old, new = Identity(1, 2, 3), Identity(1, 2, 4)
    suspects, _ = decide.accuse((), [one(KEYS[0], 5, identity=old)], report())
    suspects, [guilty] = decide.accuse(suspects, [one(KEYS[0], 5, identity=new)], report())
    assert suspects == (guilty,)
    assert guilty.crashes == 1


@given(histories, ranges)
def test_whose_call_has_ended_is_none_any_more_and_nobody_else_is_touched(history: list[Any], call: Suspect) -> None:
    before = after(history)
    left = decide.acquit(before, call)
    pending = tuple(own for own in firm(before) if own.verdict is Verdict.PENDING)
    gone = set(covered(pending)) & set(covered((call,)))
    assert set(covered(firm(left))) == set(covered(firm(before))) - gone
    assert all(own in left for own in before if own.verdict is not Verdict.PENDING)


@given(histories, st.dictionaries(keys, st.sampled_from(OFFSETS)))
def test_what_is_done_is_no_suspect_unless_it_is_to_be_put_aside(history: list[Any], done: Any) -> None:
    before = after(history)
    left = decide.pass_by(before, done)
    for own in firm(left):
        assert own.verdict is not Verdict.PENDING or own.first >= done.get(own.key, 0)
    lost = set(covered(firm(before))) - set(covered(firm(left)))
    assert all(offset < done[key] for key, offset in lost)
    assert [own for own in left if own.loose] == [own for own in before if own.loose]


@given(histories, st.dictionaries(keys, st.none() | st.sampled_from(OFFSETS)))
def test_what_is_committed_is_forgotten_whatever_it_is(history: list[Any], committed: Any) -> None:
    before = after(history)
    left = decide.commit_by(before, committed)
    assert set(left) == {own for own in before if (committed.get(own.key) or 0) <= own.last}


@given(histories, st.integers(1, 3), st.integers(0, 3))
def test_no_more_are_condemned_than_the_quota_allows_and_the_others_are_held(
    history: list[Any], most: int, quota: int
) -> None:
    before = after(history)
    judged = decide.judge(before, most, quota)
    condemned = decide.newly(before, judged, Verdict.CONDEMNED)
    assert len(condemned) <= quota
    due = [own for own in judged if own.crashes >= most and own.verdict is not Verdict.CONDEMNED]
    assert all(own.verdict is Verdict.HELD for own in due)
    assert not due or len(condemned) == quota
    assert [replace(own, verdict=Verdict.PENDING) for own in judged] == [
        replace(own, verdict=Verdict.PENDING) for own in before
    ]
    assert decide.judge(judged, most, 0) == judged


@given(histories, singles)
def test_a_blame_that_is_taken_back_leaves_one_death_less(history: list[Any], call: Suspect) -> None:
    suspects, told = decide.accuse(after(history), [call], report())
    suspects = decide.judge(suspects, 1, 1)
    left = decide.forgive(suspects, told)
    assert sum(own.crashes for own in left) < sum(own.crashes for own in suspects)
    assert all(own.crashes >= 0 for own in left)
    assert all(own.verdict is Verdict.PENDING for own in left if (own.key, own.first) == (call.key, call.first))


def test_so_many_are_remembered_that_workers_can_be_told_and_the_worst_stay() -> None:
    suspects, _ = decide.accuse((), [one(("a", 0), 7)], report())
    calls = [one(("b", number), 0, 5) for number in range(MOST + 5)]
    suspects = decide.suspect(suspects, calls)
    assert len(suspects) == MOST
    assert suspects[0].key == ("a", 0)
    assert suspects[-1].key == ("b", MOST + 4)


@given(histories, histories)
def test_who_is_gone_is_told_once(before: list[Any], more: list[Any]) -> None:
    first, second = after(before), after(before + more)
    for own in decide.gone(first, second):
        assert own in first
        assert (own.key, own.last) not in {(left.key, left.last) for left in second}


@given(histories, st.sampled_from(IDENTITIES))
def test_a_document_survives_the_way_and_is_of_one_application(history: list[Any], identity: Identity | None) -> None:
    suspects = tuple(replace(own, identity=identity) for own in after(history))
    document = json.loads(json.dumps(decide.to_document(suspects, "orders")))
    assert decide.from_document(document, "orders") == suspects
    with pytest.raises(DocumentError, match="application 'orders', not 'payments'"):
        decide.from_document(document, "payments")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
ROW = encode(one(KEYS[0], 3, crashes=1, identity=Identity(1, 2, 3), report=report()))


@given(JSON | JSON.map(lambda row: {"version": 1, "app": "orders", "suspects": [row]}))
def test_any_other_document_is_refused_in_words(document: Any) -> None:
    with pytest.raises(DocumentError) as refusal:
        decide.from_document(document, "orders")
    assert len(str(refusal.value)) < 200


@given(st.sampled_from(sorted(ROW)), JSON)
def test_a_row_with_any_other_value_is_refused_or_is_one_that_kherd_could_have_written(name: str, value: Any) -> None:
    try:
        suspect = decode({**ROW, name: value})
    except ValueError as error:
        assert len(str(error)) < 200  # noqa: PT017 - either outcome is checked
    else:
        assert decode(json.loads(json.dumps(encode(suspect)))) == suspect


@pytest.mark.parametrize("name", sorted(ROW))
def test_a_row_without_a_field_is_refused_by_its_name(name: str) -> None:
    with pytest.raises(ValueError, match=f"no {name}"):
        decode({field: value for field, value in ROW.items() if field != name})


def test_a_document_of_another_version_or_of_too_many_is_refused() -> None:
    cases: list[tuple[dict[str, Any], str]] = [
        ({"version": 2}, "version 2, not 1"),
        ({"suspects": [ROW] * (MOST + 1)}, "more than kherd"),
    ]
    for changes, says in cases:
        with pytest.raises(DocumentError, match=says):
            decide.from_document({"version": 1, "app": "o", "suspects": [], **changes}, "o")


@given(st.lists(st.sampled_from(OFFSETS), unique=True, min_size=1).map(sorted), histories)
def test_the_first_suspect_of_a_run_is_found_and_none_is_passed(offsets: list[int], history: list[Any]) -> None:
    own = [suspect for suspect in after(history) if suspect.key == KEYS[0]]
    index = first_of(own, offsets, offsets[0])
    exact = [at for at, offset in enumerate(offsets) if any(one.first <= offset <= one.last for one in own)]
    assert index is None or index <= min(exact, default=len(offsets))
    assert index is not None or not exact


@given(st.integers(0, 5), st.integers(0, 5), st.integers(0, 9) | st.none())
def test_a_loose_suspect_is_the_first_record_at_or_after_its_offset(first: int, gap: int, position: int | None) -> None:
    suspect = one(KEYS[0], first, loose=True)
    found = find([suspect], first + gap, position)
    assert (found is suspect) == (gap == 0 or (position is not None and position <= first))


@given(st.sampled_from(IDENTITIES), st.sampled_from(IDENTITIES))
def test_a_suspect_is_of_the_topic_unless_it_is_known_to_be_of_another(
    own: Identity | None, present: Identity | None
) -> None:
    assert one(KEYS[0], 1, identity=own).is_of(present) == (own is None or present is None or own == present)


def test_the_worst_of_several_that_may_be_meant_counts() -> None:
    suspects = [one(KEYS[0], 2, loose=True, crashes=2), one(KEYS[0], 1, 9)]
    found = find(suspects, 5, 2)
    assert found is not None
    assert found.crashes == 2


@given(histories, deaths)
def test_a_call_for_a_suspect_is_known(history: list[Any], calls: list[Suspect]) -> None:
    before = after(history)
    if set(covered(firm(before))) & {(call.key, call.first) for call in calls}:
        assert decide.is_known(before, calls)
    if not before:
        assert not decide.is_known(before, calls)
