"""Bisection calls every record that does not fail once with success, in order, and finds what fails in few calls."""

import math

from hypothesis import given
from hypothesis import strategies as st

from kherd.worker.decide.bisect import State, begin, failed, passed, succeeded


def bisected(count: int, culprits: set[int]) -> tuple[int, list[int], list[int]]:
    """Return how many calls there were, which records succeeded, and which failed alone, each in the order of calls."""
    state, calls = begin(count), 0
    done: list[int] = []
    found: list[int] = []
    while state.parts:
        calls += 1
        part = state.parts[0]
        records = range(part.first, part.end)
        if culprits.isdisjoint(records):
            done += records
            state = succeeded(state)
        else:
            found += records if part.alone else []
            state = failed(state)
    return calls, done, found


def test_one_culprit_is_found_within_the_bound_wherever_it_is() -> None:
    for count in (*range(2, 130), 255, 256, 257, 499, 500, 501, 1000):
        for culprit in range(count):
            calls, done, found = bisected(count, {culprit})
            assert calls <= 2 * math.log2(count) + 2
            assert found == [culprit]
            assert done == [record for record in range(count) if record != culprit]


@given(st.integers(2, 10_000), st.data())
def test_one_culprit_in_any_list(count: int, data: st.DataObject) -> None:
    calls, _, found = bisected(count, {data.draw(st.integers(0, count - 1))})
    assert len(found) == 1
    assert calls <= 2 * math.log2(count) + 2


@given(st.integers(2, 600), st.data())
def test_every_culprit_is_found_and_all_others_succeed_once_in_order(count: int, data: st.DataObject) -> None:
    culprits = data.draw(st.sets(st.integers(0, count - 1), max_size=count))
    calls, done, found = bisected(count, culprits)
    assert found == sorted(culprits)
    assert done == [record for record in range(count) if record not in culprits]
    assert calls <= max(1, len(culprits)) * (2 * math.log2(count) + 2)


@given(st.integers(2, 600), st.lists(st.sampled_from([succeeded, failed, passed]), max_size=2000))
def test_whatever_happens_parts_follow_each_other_and_there_is_an_end(count: int, events: list[object]) -> None:
    state, at, calls = begin(count), 0, 0
    while state.parts:
        part = state.parts[0]
        assert part.first == at
        assert all(one.end == other.first for one, other in zip(state.parts, state.parts[1:], strict=False))
        assert state.parts[-1].end == count
        event = events[calls] if calls < len(events) else passed
        calls += 1
        after: State = event(state)  # type: ignore[operator]
        at = part.first if event is failed and not part.alone else part.end
        state = after
    assert at == count
    assert calls <= 2 * count
