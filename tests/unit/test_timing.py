"""Times on the board: since when a call is under way, how long others took; and no record after a stop."""

import time
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest

from kherd.worker import clock
from kherd.worker.board import Board
from kherd.worker.boardview import counters_of, in_flight_of
from kherd.worker.decide.duration import NAMES
from kherd.worker.pulse import GLANCE

from ..fakes.rig import Rig

LONG = 0.006
"""Seconds of sleep: a call of over 5 ms, however long it takes on a busy machine."""


def handled(board: Board, values: list[bytes], handle: Callable[[Any], Any], **fields: Any) -> Rig:
    """Return a rig that has handled a record of each value, in one run."""
    rig = Rig(board, partitions=1, **fields)
    rig.session.handler.invoke = handle
    rig.group.news.append(("on_assign", [0]))
    for value in values:
        rig.group.write(0, value)
    rig.go(5)
    rig.close()
    return rig


def durations(board: Board) -> tuple[int, int]:
    """Return how many calls were noted, and how many of them as of more than 5 ms."""
    counters = counters_of(board)
    return sum(counters[name] for name in NAMES), sum(counters[name] for name in NAMES[3:])


def test_a_call_is_under_way_since_it_began_or_a_moment_before(board: Board) -> None:
    seen: list[tuple[int, int]] = []

    def handle(message: Any) -> None:
        began = clock.read_ns()
        [call] = in_flight_of(board)
        seen.append((began, call.since))
        if message.value() == b"long":
            time.sleep(LONG)

    handled(board, [b"", b"", b"long", b"", b""], handle)
    assert len(seen) == 5
    assert all(since <= began for began, since in seen)
    # what began after a long call did not begin before that one's end
    assert seen[3][1] >= seen[2][0] + LONG * clock.NANOSECONDS
    assert all(since >= before - GLANCE * clock.NANOSECONDS for (before, _), (_, since) in pairwise(seen))


def test_every_call_is_counted_once_by_how_long_it_took(board: Board) -> None:
    def handle(message: Any) -> None:
        if message.value():
            time.sleep(LONG)
        if message.value() == b"raise":
            raise ValueError

    handled(board, [b"", b"long", b"", b"", b"long", b"raise"], handle)
    assert durations(board) == (6, 3) == (counters_of(board)["calls"], 3)


def test_a_call_that_returns_records_is_counted_too(board: Board) -> None:
    def handle(_: object) -> list[object]:
        time.sleep(LONG)
        return []

    handled(board, [b"", b""], handle)
    assert durations(board) == (2, 2)


def test_a_batch_counts_as_one_call(board: Board) -> None:
    handled(board, [b"", b"", b""], lambda _: time.sleep(LONG), mode="batch")
    assert durations(board) == (1, 1)
    assert counters_of(board)["handled"] == 3


def test_nothing_is_begun_after_a_stop_within_a_call(board: Board) -> None:
    seen: list[int] = []

    def handle(message: Any) -> None:
        seen.append(message.offset())
        if len(seen) == 2:
            rig.pulse.stop()

    rig = Rig(board, partitions=1)
    rig.session.handler.invoke = handle
    rig.group.news.append(("on_assign", [0]))
    for _ in range(5):
        rig.group.write(0, b"x")
    rig.go(5)
    rig.close()
    assert seen == [0, 1]


@pytest.mark.parametrize("end", ["none", "records", "raise"])
def test_a_batch_handler_may_empty_its_list(board: Board, end: str) -> None:
    def handle(messages: Any) -> Any:
        messages.clear()
        if end == "raise":
            raise ValueError
        return [] if end == "records" else None

    rig = handled(board, [b"", b"", b""], handle, mode="batch")
    [partition] = rig.session.partitions
    assert partition.offsets.committable == (None if end == "raise" else 3)
    assert counters_of(board)["handled"] == (0 if end == "raise" else 3)
