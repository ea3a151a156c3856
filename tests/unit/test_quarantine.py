"""Suspects in a worker run alone, and the supervisor hears how that ended; condemned ones are put aside uncalled."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from kherd.worker import boardview
from kherd.worker.board import Board
from kherd.worker.context import context
from kherd.worker.decide.handover import Identity
from kherd.worker.decide.suspects import Report, Suspect, Verdict
from kherd.worker.suspects import messages

from ..fakes.consumer import TOPIC
from ..fakes.producer import refuse
from ..fakes.rig import Rig

REPORT = Report("SIGSEGV, not sent by kherd", "CRASH", "worker 0", 5.0, 9.0, signal="SIGSEGV", peak_rss=7, stack="s")


def suspect(first: int, last: int | None = None, crashes: int = 0, **fields: Any) -> Suspect:
    return Suspect(TOPIC, 1, first, first if last is None else last, crashes, **fields)


def condemned(first: int, **fields: Any) -> Suspect:
    return suspect(first, crashes=3, verdict=Verdict.CONDEMNED, report=REPORT, **fields)


class Ward:
    """A session whose handler notes each call: the offsets that it was given, and which attempt it is."""

    def __init__(self, board: Board, **fields: Any) -> None:
        self.rig = Rig(board, commit_interval=0.0, **fields)
        self.board = board
        self.calls: list[tuple[list[int], int]] = []
        self.fail: Callable[[list[int]], None] = lambda _: None
        self.rig.session.handler.invoke = self._handle
        self.rig.group.news.append(("on_assign", [0, 1]))

    def _handle(self, given: Any) -> None:
        offsets = [message.offset() for message in (given if isinstance(given, list) else [given])]
        self.calls.append((offsets, context().attempt))
        self.fail(offsets)

    def write(self, *gaps: int) -> None:
        for gap in gaps:
            self.rig.group.write(1, b"x", gap)

    def tell(self, *suspects: Suspect) -> None:
        for message in messages(suspects):
            self.rig.ours.send(message)
        self.rig.pulse.due = self.rig.session.desk._heard_at = 0.0

    def said(self) -> list[tuple[int, int]]:
        """What the supervisor has heard: the ranges that are no suspects any more."""
        found = []
        while (received := self.rig.ours.receive()) is not None:
            message, _ = received
            if message["type"] == "acquitted":
                assert (message["topic"], message["partition"]) == (TOPIC, 1)
                found.append((message["first"], message["last"]))
        return found

    @property
    def letters(self) -> list[Any]:
        return [sent for sent in self.rig.producers.sent if sent.topic == f"dlq.{TOPIC}"]

    @property
    def committed(self) -> int:
        offset: int = self.rig.group.committed[1]
        return offset


@pytest.fixture
def ward(board: Board) -> Iterator[Ward]:
    made = Ward(board)
    yield made
    made.rig.close()


@pytest.fixture
def batches(board: Board) -> Iterator[Ward]:
    made = Ward(board, mode="batch", batch_size=10)
    yield made
    made.rig.close()


@pytest.fixture
def beside(board: Board) -> Iterator[Ward]:
    made = Ward(board, concurrency=8, order="key")
    yield made
    made.rig.close()


def test_without_suspects_nothing_is_different(ward: Ward) -> None:
    ward.write(0, 0, 0)
    ward.rig.go()
    assert ward.calls == [([0], 1), ([1], 1), ([2], 1)]
    assert ward.said() == []


def test_a_suspect_is_called_as_another_attempt_and_is_none_when_that_has_ended(ward: Ward) -> None:
    ward.tell(suspect(1, crashes=2))
    ward.write(0, 0, 0)
    ward.rig.go()
    assert ward.calls == [([0], 1), ([1], 3), ([2], 1)]
    assert ward.said() == [(1, 1)]
    assert ward.committed == 3


def test_a_suspect_that_raises_has_not_killed_and_its_deaths_are_attempts(ward: Ward) -> None:
    ward.tell(suspect(0, crashes=2))

    def fail(offsets: list[int]) -> None:
        raise ValueError(offsets)

    ward.fail = fail
    ward.write(0)
    ward.rig.go()
    assert ward.said() == [(0, 0)]
    [partition] = [one for one in ward.rig.session.partitions if one.troubles]
    [case] = partition.troubles
    assert (case.state.failures, case.state.crashes, case.state.attempts) == (1, 2, 3)


def test_what_is_in_flight_is_named_exactly_while_a_suspect_runs(ward: Ward) -> None:
    ward.tell(suspect(0, crashes=1))
    found: list[Any] = []
    ward.fail = lambda _: found.extend(boardview.in_flight_of(ward.board))
    ward.write(3, 0)
    ward.rig.go()
    assert [(call.first, call.loose) for call in found] == [(3, True), (4, True)]


def test_the_suspects_of_a_batch_run_alone_and_the_others_together(batches: Ward) -> None:
    batches.tell(suspect(3, 5))
    batches.write(*[0] * 9)
    batches.rig.go()
    assert [offsets for offsets, _ in batches.calls] == [[0, 1, 2], [3], [4], [5], [6, 7, 8]]
    assert batches.said() == [(3, 5)]
    assert batches.committed == 9


def test_no_batch_is_made_of_suspects_and_other_partitions(batches: Ward) -> None:
    batches.tell(suspect(1))
    batches.rig.group.write(0, b"x")
    batches.write(0, 0)
    batches.rig.go()
    assert [1] in [offsets for offsets, _ in batches.calls]
    assert sum(len(offsets) for offsets, _ in batches.calls) == 3


def test_a_range_of_suspects_is_told_of_once_when_it_has_been_passed(ward: Ward) -> None:
    ward.tell(suspect(0, 3))
    ward.write(0, 0)
    ward.rig.go()
    assert ward.said() == []
    ward.write(0, 0)
    ward.rig.go()
    assert ward.said() == [(0, 3)]
    ward.write(0)
    ward.rig.go()
    assert ward.said() == []
    assert ward.calls == [([offset], 1) for offset in range(5)]


def test_a_condemned_record_is_put_aside_without_a_call_and_the_partition_goes_on(ward: Ward) -> None:
    ward.tell(condemned(1))
    ward.write(0, 0, 0)
    ward.rig.go()
    assert [offsets for offsets, _ in ward.calls] == [[0], [2]]
    [letter] = ward.letters
    told = {name: (value or b"").decode() for name, value in letter.headers}
    assert told["kherd.disposition"] == "crash_quarantine"
    assert told["__dlq.errors.stage"] == "CRASH"
    assert told["__dlq.errors.offset"] == "1"
    assert told["__dlq.errors.delivery.count"] == told["kherd.crashes"] == "3"
    assert told["__dlq.errors.exception.message"] == REPORT.cause
    assert told["__dlq.errors.exception.stacktrace"] == "s"
    assert (told["kherd.exit.signal"], told["kherd.peak.rss"]) == ("SIGSEGV", "7")
    assert "kherd.exit.code" not in told
    assert (told["kherd.failure.first"][17:19], told["kherd.failure.last"][17:19]) == ("05", "09")
    counters = boardview.counters_of(ward.board)
    assert (counters["quarantined"], counters["dead_lettered"], counters["handled"]) == (1, 1, 2)
    assert ward.committed == 3
    assert ward.said() == []


def test_nothing_of_the_partition_is_begun_before_the_dead_letter_is_acknowledged(ward: Ward) -> None:
    ward.rig.producers.options["silent"] = True
    ward.tell(condemned(1))
    ward.write(0, 0, 0)
    ward.rig.go()
    assert [offsets for offsets, _ in ward.calls] == [[0]]
    assert ward.committed == 1
    ward.rig.producers.made[0].silent = False
    ward.rig.go()
    assert [offsets for offsets, _ in ward.calls] == [[0], [2]]
    assert ward.committed == 3


def test_a_dead_letter_that_is_refused_is_tried_again_and_nothing_is_called(ward: Ward) -> None:
    ward.rig.producers.options["answer"] = refuse(3, 0)
    ward.tell(condemned(0))
    ward.write(0, 0)
    ward.rig.go()
    [partition] = [one for one in ward.rig.session.partitions if one.troubles]
    assert ward.calls == []
    partition.troubles[0].due = 0.0
    ward.rig.producers.made[0].answer = lambda _: None
    ward.rig.go()
    assert [offsets for offsets, _ in ward.calls] == [[1]]
    assert ward.committed == 2


def test_a_held_record_keeps_its_partition_until_it_is_condemned(ward: Ward) -> None:
    held = replace(condemned(0), verdict=Verdict.HELD)
    ward.tell(held)
    ward.write(0, 0)
    ward.rig.go()
    assert (ward.calls, ward.letters) == ([], [])
    assert boardview.counters_of(ward.board)["held"] == 1
    ward.tell(held)
    ward.rig.go()
    assert (ward.calls, ward.letters) == ([], [])
    ward.tell(condemned(0))
    ward.rig.go()
    assert [offsets for offsets, _ in ward.calls] == [[1]]
    assert len(ward.letters) == 1
    assert ward.committed == 2


@pytest.mark.parametrize("suspects", [[], [suspect(0, crashes=1)]])
def test_a_held_record_that_is_no_killer_after_all_is_tried_again(ward: Ward, suspects: list[Suspect]) -> None:
    ward.tell(replace(condemned(0), verdict=Verdict.HELD))
    ward.write(0, 0)
    ward.rig.go()
    ward.tell(*suspects)
    ward.rig.go()
    assert [offsets for offsets, _ in ward.calls] == [[0], [1]]
    assert ward.letters == []
    assert ward.committed == 2


def test_a_loose_suspect_is_the_next_record_of_a_log_with_gaps(ward: Ward) -> None:
    ward.tell(suspect(1, crashes=1, loose=True))
    ward.write(0, 4, 0)
    ward.rig.go()
    assert ward.calls == [([0], 1), ([5], 2), ([6], 1)]
    assert ward.said() == [(1, 1)]


def test_a_suspect_of_which_the_partition_is_past_is_let_go(ward: Ward) -> None:
    ward.write(0, 0, 0)
    ward.rig.go()
    ward.tell(suspect(1, crashes=2), condemned(0))
    ward.write(0)
    ward.rig.go()
    assert ward.said() == [(1, 1)]
    assert ward.calls[-1] == ([3], 1)
    assert ward.letters == []
    assert ward.rig.pulse.suspects.by_key == {}


def test_a_suspect_below_where_a_partition_begins_is_let_go_before_anything_is_called(ward: Ward) -> None:
    heard: list[list[tuple[int, int]]] = []
    ward.fail = lambda _: heard.append(ward.said())
    ward.tell(suspect(1, crashes=2, loose=True), suspect(7, crashes=1))
    ward.write(5)
    ward.rig.go()
    assert ward.calls == [([5], 1)]
    assert heard == [[(1, 1)]]


def test_offsets_of_a_topic_that_was_made_anew_say_nothing(ward: Ward) -> None:
    ward.rig.pulse.heritage.identities[TOPIC] = Identity(1, 2, 4)
    ward.tell(condemned(0, identity=Identity(1, 2, 3)), condemned(1, identity=Identity(1, 2, 4)))
    ward.write(0, 0)
    ward.rig.go()
    assert ward.calls == [([0], 1)]
    assert len(ward.letters) == 1


def test_a_partition_that_an_operator_has_paused_waits_with_its_suspects(ward: Ward) -> None:
    ward.rig.ours.send({"type": "paused", "everything": True, "topics": [], "partitions": {}})
    ward.tell(suspect(0, crashes=1), condemned(1))
    ward.write(0, 0)
    ward.rig.go()
    assert (ward.calls, ward.letters) == ([], [])
    ward.rig.ours.send({"type": "paused", "everything": False, "topics": [], "partitions": {}})
    ward.tell(suspect(0, crashes=1), condemned(1))
    ward.rig.go()
    assert ward.calls == [([0], 2)]
    assert len(ward.letters) == 1


def test_a_suspect_of_a_partition_that_went_is_the_next_owners(ward: Ward) -> None:
    ward.tell(suspect(0, crashes=1))
    ward.rig.go(2)
    ward.write(0)
    ward.rig.session.fetcher.fetch(0.0)
    ward.rig.group.news.append(("on_revoke", [1]))
    ward.rig.session.client.poll(0.0)
    ward.rig.go()
    assert (ward.calls, ward.said()) == ([], [])


def test_a_telling_of_many_counts_when_it_is_complete(ward: Ward) -> None:
    many = [condemned(0, identity=None)] + [
        replace(condemned(number), report=replace(REPORT, stack="é" * 4000)) for number in range(1, 30)
    ]
    told = list(messages(many))
    assert len(told) > 2
    for message in told[:-1]:
        ward.rig.pulse.suspects.take(message)
    assert ward.rig.pulse.suspects.by_key == {}
    ward.rig.pulse.suspects.take(told[-1])
    assert ward.rig.pulse.suspects.by_key[TOPIC, 1] == many


def test_beside_other_calls_a_suspect_runs_alone_and_a_condemned_record_is_never_called(beside: Ward) -> None:
    # Given work that runs calls beside each other, a suspect and a condemned record
    beside.rig.go(2)
    beside.tell(suspect(1, crashes=2), condemned(3))
    beside.rig.go(2)
    # When they come among others
    beside.write(0, 0, 0, 0, 0)
    beside.rig.until(lambda: beside.committed == 5)
    # Then the one is called as another attempt and acquitted, the other put aside
    assert sorted(beside.calls) == [([0], 1), ([1], 3), ([2], 1), ([4], 1)]
    assert len(beside.letters) == 1
    assert beside.said() == [(1, 1)]


def test_beside_other_calls_a_held_record_waits_alone_until_it_is_condemned(beside: Ward) -> None:
    beside.rig.go(2)
    beside.tell(suspect(1, crashes=3, verdict=Verdict.HELD))
    beside.rig.go(2)
    beside.write(0, 0, 0)
    beside.rig.until(lambda: len(beside.calls) == 2)
    beside.rig.until(lambda: beside.committed == 1)
    beside.tell(condemned(1))
    beside.rig.until(lambda: beside.committed == 3)
    assert sorted(beside.calls) == [([0], 1), ([2], 1)]
    assert len(beside.letters) == 1
