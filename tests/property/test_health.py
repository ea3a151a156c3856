"""Health: every reason is one of the table, follows from what was heard, and is gone when its cause is."""

import re
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from kherd.supervisor.decide.health import (
    LATELY_SECONDS,
    REASONS,
    SILENT_SECONDS,
    SNAPSHOT_SECONDS,
    State,
    hear,
    silence,
    unready,
)

from ..fakes.status import status

PATTERNS = {name: re.compile(re.sub(r"\\{.*?\\}", ".*", re.escape(text))) for name, text in REASONS.items()}
BOOL = st.booleans()
SNAPSHOTS = st.builds(
    lambda steady, quorum, wanted, stopping, quiet, reachable, valid, handled, buffered: status(
        readiness={
            "steady": steady, "quorum": quorum, "stopping": stopping, "quiet": quiet, "handler_timeout": 20.0,
        },
        workers={"wanted": wanted, "by_state": {}},
        brokers_reachable=reachable,
        lag={"valid": valid, "reason": "no answer", "at": None, "total": None, "topics": {}, "partitions": []},
        totals={"handled": handled, "buffered": buffered},
    ),
    st.integers(0, 4), st.integers(0, 4), st.integers(0, 4), BOOL, BOOL, st.none() | BOOL, BOOL,
    st.sampled_from([0, 10, 20]), st.sampled_from([0, 5]),
)  # fmt: skip
HEARD = st.lists(st.tuples(st.sampled_from([1.0, 5.0, 5.0, 5.0, 16.0, 70.0]), SNAPSHOTS), max_size=8)
LATER = st.sampled_from([0.0, 5.0, SILENT_SECONDS, SILENT_SECONDS + 1, 100.0])


def after(heard: list[tuple[float, dict[str, Any]]]) -> tuple[State, float]:
    now = 1000.0
    state = State(heard_at=now)
    for seconds, snapshot in heard:
        now += seconds
        state = hear(state, snapshot, now)
    return state, now


def names(reasons: list[str]) -> set[str]:
    found = [{name for name, pattern in PATTERNS.items() if pattern.fullmatch(reason)} for reason in reasons]
    assert all(len(one) == 1 for one in found), reasons
    return {name for one in found for name in one}


def healthy(**totals: int) -> dict[str, Any]:
    return status(
        workers={"wanted": 1, "by_state": {"ready": 1}},
        totals={"handled": 1, "buffered": 0, **totals},
    )


@given(HEARD, LATER)
def test_every_reason_is_of_the_table_and_named_once(heard: list[tuple[float, dict[str, Any]]], later: float) -> None:
    state, now = after(heard)
    reasons = unready(state, now + later)
    assert len(names(reasons)) == len(reasons)


@given(HEARD, LATER)
def test_silence_begins_after_three_snapshots_that_did_not_come_and_says_all_there_is(
    heard: list[tuple[float, dict[str, Any]]], later: float
) -> None:
    state, now = after(heard)
    silent = silence(state, now + later)
    assert (silent is not None) == (later > 3 * SNAPSHOT_SECONDS)
    if silent is not None:
        assert unready(state, now + later) == [silent]


@given(HEARD)
def test_ready_means_everything_that_was_promised(heard: list[tuple[float, dict[str, Any]]]) -> None:
    state, now = after(heard)
    if unready(state, now):
        return
    last = heard[-1][1]
    readiness = last["readiness"]
    assert not readiness["stopping"]
    assert not readiness["quiet"]
    assert last["brokers_reachable"] is not False
    assert readiness["steady"] >= min(max(1, readiness["quorum"]), last["workers"]["wanted"])
    known = any(one["lag"]["valid"] for _, one in heard)
    assert known or len({one["totals"]["handled"] for _, one in heard}) > 1


@given(HEARD)
def test_each_cause_alone_is_a_reason(heard: list[tuple[float, dict[str, Any]]]) -> None:
    state, now = after(heard)
    found = names(unready(state, now))
    if not heard:
        assert found == {"unheard"}
        return
    last = heard[-1][1]
    if last["readiness"]["stopping"]:
        assert found == {"stopping"}
        return
    needed = min(max(1, last["readiness"]["quorum"]), last["workers"]["wanted"])
    assert ("quiet" in found) == last["readiness"]["quiet"]
    assert ("brokers" in found) == (last["brokers_reachable"] is False)
    assert ("workers" in found) == (last["readiness"]["steady"] < needed)


@given(HEARD)
def test_one_good_snapshot_after_whatever_was_heard_is_enough_but_for_what_needs_time(
    heard: list[tuple[float, dict[str, Any]]],
) -> None:
    state, now = after(heard)
    assert unready(hear(state, healthy(), now + 5), now + 5) == []


@given(st.integers(1, 5), st.integers(0, 200).map(float), st.booleans())
def test_records_that_wait_for_a_minute_with_none_finished_are_a_reason(
    count: int, seconds: float, moving: bool
) -> None:
    state = hear(State(0.0), healthy(buffered=count), 0.0)
    now, handled = 0.0, 1
    while now < seconds:
        now, handled = now + 5.0, handled + moving
        state = hear(state, healthy(buffered=count, handled=handled), now)
    assert names(unready(state, now)) == ({"stuck"} if now > LATELY_SECONDS and not moving else set())


@given(st.integers(31, 3600).map(float))
def test_handler_calls_that_may_take_long_make_it_patient(timeout: float) -> None:
    snapshot = healthy(buffered=1)
    snapshot["readiness"] = {**snapshot["readiness"], "handler_timeout": timeout}
    state = State(990.0 - 2 * timeout, status=snapshot, known_at=1000.0, waiting_since=1000.0 - 2 * timeout)
    state = hear(state, snapshot, 1000.0)
    assert unready(state, 1000.0) == []
    assert names(unready(state, 1001.0)) == {"stuck"}


@given(st.floats(0, 300))
def test_a_lag_that_was_known_lately_will_do(seconds: float) -> None:
    unknown = {**healthy(), "lag": {"valid": False, "reason": "no answer", "total": None, "topics": {}}}
    state = hear(State(0.0), healthy(), 0.0)
    state = hear(state, unknown, seconds)
    assert names(unready(state, seconds)) == (set() if seconds <= LATELY_SECONDS else {"lag"})
    moved = hear(state, {**unknown, "totals": {"handled": 2}}, seconds)
    assert unready(moved, seconds) == []
