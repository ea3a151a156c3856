"""The worker's parts at their edges: what the property test of the whole cannot see or would take long to find."""

import logging
import os
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import KafkaError, Message

from kherd.worker import channel, loop
from kherd.worker.board import NONE, Board, Counter, Phase
from kherd.worker.boardview import in_flight_of, partitions_of, phase_of
from kherd.worker.boardwriter import FIRST_WORD, SINCE_WORD, BoardWriter, committed_word, done_word
from kherd.worker.clientlog import ClientLog, Reset
from kherd.worker.fetch import Fault, _fault
from kherd.worker.handler import Handler, Loop
from kherd.worker.inbox import Inbox, Run
from kherd.worker.kafka import CallbackError
from kherd.worker.partition import Partition, Partitions
from kherd.worker.pulse import Pulse
from kherd.worker.seldom import Seldom
from kherd.worker.session import Session, Tools
from kherd.worker.spec import KafkaSpec, SlotIdentity, WorkerSpec

from ..fakes.consumer import TOPIC, FakeConsumer, FakeGroup
from ..fakes.producer import Producers


@pytest.fixture
def board(tmp_path: Path) -> Iterator[Board]:
    made, fd = Board.create(tmp_path / "board", SlotIdentity(1, 0, 1), 1)
    yield made
    made.close()
    os.close(fd)


@pytest.fixture
def writer(board: Board) -> BoardWriter:
    return BoardWriter(board)


class Rig:
    """A session on a fake group; the handler appends what it is given to `seen`."""

    def __init__(self, board: Board, partitions: int = 2, **fields: Any) -> None:
        self.group = FakeGroup(partitions)
        self.seen: list[tuple[int, int]] = []
        self.ours, self.theirs = channel.pair()
        kafka = KafkaSpec(bootstrap="none", group="g", topics=(TOPIC,))
        spec = WorkerSpec(app="app", instance=None, generation=1, handler="m:h", kafka=kafka, **fields)
        handler = Handler("m:h", "record", self._handle, None, Loop())
        self.pulse = Pulse()
        tools = Tools(spec, SlotIdentity(1, 0, 1), handler, self.theirs, self.pulse, BoardWriter(board))
        self.session = Session(tools, consumer=self._consumer, producer=Producers())
        self.session.join()

    def _consumer(self, properties: dict[str, Any], **_: object) -> FakeConsumer:
        self.consumer = FakeConsumer(self.group, properties)
        return self.consumer

    def _handle(self, message: Any) -> None:
        self.seen.append((message.partition(), message.offset()))

    def go(self, rounds: int = 10) -> None:
        for _ in range(rounds):
            loop.step(self.session)

    def close(self) -> None:
        self.ours.close()
        self.theirs.close()


@pytest.fixture
def rig(board: Board) -> Iterator[Rig]:
    made = Rig(board, commit_interval=0.0)
    yield made
    made.close()


def test_a_call_about_one_record_reads_as_first_and_last_of_it(board: Board, writer: BoardWriter) -> None:
    topic = writer.topic("orders")
    writer.start_call(0, topic, 3, NONE, NONE, 1)
    assert in_flight_of(board) == []
    board.words[SINCE_WORD], board.words[FIRST_WORD] = 5, 41
    [call] = in_flight_of(board)
    assert (call.topic, call.partition, call.first, call.last, call.since) == ("orders", 3, 41, 41, 5)
    writer.start_call(1, topic, 4, 7, 9, 2)
    assert [(one.first, one.last, one.attempt) for one in in_flight_of(board)] == [(41, 41, 1), (7, 9, 2)]
    writer.end_call(0)
    writer.end_call(1)
    assert in_flight_of(board) == []


def test_a_partition_without_a_row_is_written_nowhere(board: Board, writer: BoardWriter) -> None:
    base = writer.assign("orders", 1, 99)
    board.words[done_word(base)], board.words[committed_word(base)] = 12, 10
    board.words[done_word(None)] = board.words[committed_word(None)] = 77
    [view] = partitions_of(board)
    assert (view.nonce, view.done, view.committed) == (99, 12, 10)
    assert board.valid


def test_the_phase_is_remembered_for_whoever_changes_it_for_a_while(board: Board, writer: BoardWriter) -> None:
    writer.phase(Phase.HANDLING)
    assert (writer.current_phase, phase_of(board)) == (Phase.HANDLING, Phase.HANDLING)


def test_two_assignments_of_a_partition_never_have_the_same_nonce(writer: BoardWriter) -> None:
    random.seed(1)
    partitions = Partitions(writer)
    first = partitions.open((TOPIC, 0)).metadata
    partitions.forget((TOPIC, 0))
    random.seed(1)  # forked workers share the state of a preloaded module's generator
    assert partitions.open((TOPIC, 0)).metadata != first


def messages(partition: Partition, *offsets: int) -> list[Message]:
    return [Message(topic=TOPIC, partition=partition.number, offset=offset, value=b"xy") for offset in offsets]


def test_the_inbox_cuts_a_batch_to_size_and_keeps_the_order(writer: BoardWriter) -> None:
    one = Partition(TOPIC, 1, 5, writer)
    inbox = Inbox()
    inbox.append(Run(one, messages(one, 0, 1, 2)))
    inbox.append(Run(one, messages(one, 3, 4)))
    assert (inbox.records, inbox.bytes) == (5, 10)
    taken = inbox.take_batch(4)
    assert [message.offset() for run in taken for message in run.messages] == [0, 1, 2, 3]
    inbox.put_back(taken)
    assert (inbox.records, inbox.bytes, len(inbox.take().messages)) == (5, 10, 3)


def test_what_is_to_be_rerun_singly_is_never_mixed_with_anything(writer: BoardWriter) -> None:
    one = Partition(TOPIC, 1, 5, writer)
    inbox = Inbox()
    inbox.append(Run(one, messages(one, 7)))
    inbox.put_back([Run(one, messages(one, 1, 2, 3), singly=True), Run(one, messages(one, 4), singly=True)])
    assert [len(run.messages) for run in inbox.take_batch(2)] == [3]
    assert [len(run.messages) for run in inbox.take_batch(2)] == [1]
    assert [run.singly for run in inbox.take_batch(2)] == [False]


def test_an_exception_in_a_callback_is_raised_after_the_call_and_no_record_is_lost(rig: Rig) -> None:
    rig.group.write(0, b"x")
    rig.group.news.append(("on_assign", [0]))
    rig.session.membership.joined = lambda: 1 / 0  # type: ignore[method-assign,assignment]
    with pytest.raises(CallbackError, match="ZeroDivisionError"):
        rig.go()
    assert rig.seen == []
    assert rig.group.committed == {0: 0, 1: 0}


def test_a_late_answer_for_a_partition_that_is_not_ours_any_more_changes_nothing(rig: Rig, board: Board) -> None:
    rig.group.news.append(("on_assign", [0, 1]))
    rig.group.write(0, b"x")
    rig.group.silent = True
    rig.go()
    rig.group.news.append(("on_revoke", [0]))
    rig.go()
    assert rig.group.commits == [{0: 1}, {0: 1}]  # the second one said so synchronously
    rig.group.news.append(("on_assign", [0]))
    rig.group.silent = False
    rig.go()
    assert {view.partition: view.committed for view in partitions_of(board)} == {0: None, 1: None}
    assert not rig.session.committer.unanswered


def test_offsets_ride_on_the_next_commit_while_one_is_unanswered(rig: Rig) -> None:
    rig.group.news.append(("on_assign", [0, 1]))
    rig.group.write(0, b"x")
    rig.group.silent = True
    rig.go()
    for _ in range(3):
        rig.group.write(0, b"x")
        rig.group.write(1, b"x")
        rig.go()
    assert rig.group.commits == [{0: 1}]
    rig.group.silent = False
    rig.go()
    assert rig.group.commits == [{0: 1}, {0: 4, 1: 3}]


def test_closing_commits_nothing_more(rig: Rig) -> None:
    rig.group.news.append(("on_assign", [0]))
    rig.group.write(0, b"x")
    rig.group.refusing = True
    rig.go()
    rig.group.refusing = False
    rig.session.rebalancer.closing = True
    rig.session.client.close()
    assert rig.group.commits == []
    assert len(rig.session.partitions) == 0


def test_a_stop_between_two_records_leaves_the_rest_unbegun(board: Board) -> None:
    rig = Rig(board)
    try:
        rig.group.news.append(("on_assign", [0]))
        for _ in range(10):
            rig.group.write(0, b"x")
        rig.session.handler.invoke = lambda message: rig.pulse.stop()
        rig.go(3)
        assert board.words[int(Counter.HANDLED)] == 1
        assert rig.session.inbox.records == 9
    finally:
        rig.close()


def line(facility: str, text: str) -> logging.LogRecord:
    return logging.LogRecord("k", logging.WARNING, "", 0, "%s [%s] %s", (facility, "client", text), None)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (
            (
                "[thrd:main]: my.orders-1 [12]: offset reset (at offset 5 (leader epoch 0), broker 1)"
                " to cached BEGINNING offset 40 (leader epoch -1): fetch failed due to requested offset not available"
            ),
            [Reset("my.orders-1", 12, 5)],
        ),
        ("[thrd:main]: orders [0]: offset reset (at offset INVALID, broker 1) to BEGINNING: no committed offset", []),
        ("something new", []),
    ],
)
def test_a_position_that_was_reset_is_read_from_the_log(text: str, found: list[Reset]) -> None:
    log = ClientLog()
    log.emit(line("OFFSET", text))
    log.emit(line("FAIL", text))
    assert log.resets == found


def test_the_same_is_said_seldom() -> None:
    seldom = Seldom(3600.0)
    assert [seldom("a"), seldom("a"), seldom("b"), seldom("a")] == [True, False, True, False]
    assert Seldom(0.0)("a")


def test_a_signal_between_two_instructions_is_never_overwritten() -> None:
    pulse = Pulse()
    pulse.stop()
    pulse.next(10**18)
    assert pulse.due == 0
    assert pulse.stopped_at > 0


def test_unknown_codes_of_fatal_errors_are_told_apart_by_their_sentence() -> None:
    assert _fault("Fatal error: " + KafkaError(KafkaError.UNRELEASED_INSTANCE_ID).str()) is Fault.UNRELEASED
    assert _fault("Fatal error: " + KafkaError(KafkaError.FENCED_INSTANCE_ID).str()) is Fault.FENCED
    assert _fault("Fatal error: anything") is Fault.FATAL
