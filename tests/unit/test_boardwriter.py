"""Writing the board: tables that are full say so, rows are freed and used again, texts that do not fit are left out."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from kherd.worker import boardview
from kherd.worker.board import IN_FLIGHT_ROWS, NONE, PARTITION_ROWS, TOPIC_ROWS, Board, Phase, StateWord
from kherd.worker.boardview import InFlight, PartitionView
from kherd.worker.boardwriter import BoardWriter, committed_word, done_word
from kherd.worker.counters import Counter
from kherd.worker.spec import SlotIdentity


@pytest.fixture
def writer(tmp_path: Path) -> Iterator[BoardWriter]:
    """The writer of a new board."""
    board, fd = Board.create(tmp_path / "board", SlotIdentity(1, 0, 1), 1)
    os.close(fd)
    yield BoardWriter(board)
    board.close()


def test_a_call_is_shown_while_it_lasts(writer: BoardWriter) -> None:
    topic = writer.topic("orders")
    writer.start_call(5, topic, 2, 40, 44, 3)
    (call,) = boardview.in_flight_of(writer.board)
    assert call == InFlight("orders", 2, 40, 44, 3, call.since)
    assert call.since > 0
    writer.end_call(5)
    assert boardview.in_flight_of(writer.board) == []


def test_a_call_of_one_record_has_one_offset(writer: BoardWriter) -> None:
    writer.start_call(0, writer.topic("orders"), 2, 40, NONE, 1)
    (call,) = boardview.in_flight_of(writer.board)
    assert (call.first, call.last) == (40, 40)


def test_every_in_flight_row_is_shown(writer: BoardWriter) -> None:
    topic = writer.topic("orders")
    for row in range(IN_FLIGHT_ROWS):
        writer.start_call(row, topic, row, row, row, 1)
    assert [call.partition for call in boardview.in_flight_of(writer.board)] == list(range(IN_FLIGHT_ROWS))


def test_an_assigned_partition_shows_its_offsets_when_they_are_known(writer: BoardWriter) -> None:
    base = writer.assign("orders", 3, nonce=9)
    assert base is not None
    assert boardview.partitions_of(writer.board) == [PartitionView("orders", 3, 9, None, None)]
    writer.words[done_word(base)] = 100
    writer.words[committed_word(base)] = 90
    assert boardview.partitions_of(writer.board) == [PartitionView("orders", 3, 9, 100, 90)]
    writer.unassign("orders", 3)
    assert boardview.partitions_of(writer.board) == []
    assert writer.assign("orders", 3, nonce=10) == base
    assert boardview.partitions_of(writer.board) == [PartitionView("orders", 3, 10, None, None)]


def test_a_full_partition_table_counts_what_it_does_not_show(writer: BoardWriter) -> None:
    bases = [writer.assign("orders", number, nonce=number) for number in range(PARTITION_ROWS + 3)]
    assert None not in bases[:PARTITION_ROWS]
    assert bases[PARTITION_ROWS:] == [None] * 3
    assert writer.words[Counter.UNTRACKED] == 3
    assert len(boardview.partitions_of(writer.board)) == PARTITION_ROWS
    # What has no row is stored where nobody looks.
    writer.words[done_word(None)] = writer.words[committed_word(None)] = 77
    assert all(view.done is None for view in boardview.partitions_of(writer.board))
    for number in range(PARTITION_ROWS + 3):
        writer.unassign("orders", number)
    assert writer.words[Counter.UNTRACKED] == 0
    assert boardview.partitions_of(writer.board) == []
    assert writer.board.valid


def test_a_full_topic_table_leaves_the_others_alone(writer: BoardWriter) -> None:
    names = [f"topic-{number}" for number in range(TOPIC_ROWS)]
    assert [writer.topic(name) for name in names] == list(range(TOPIC_ROWS))
    assert writer.topic("one-too-many") == NONE
    assert writer.assign("one-too-many", 0, nonce=1) is None
    assert writer.words[Counter.UNTRACKED] == 1
    assert writer.assign(names[-1], 0, nonce=1) is not None
    assert boardview.partitions_of(writer.board)[0].topic == names[-1]


def test_the_longest_topic_name_kafka_allows_fits(writer: BoardWriter) -> None:
    longest = "x" * 249
    writer.assign(longest, 0, nonce=1)
    writer.assign("next", 0, nonce=1)
    assert [view.topic for view in boardview.partitions_of(writer.board)] == [longest, "next"]


def test_a_member_id_is_replaced_and_one_that_does_not_fit_is_left_out(writer: BoardWriter) -> None:
    writer.member("consumer-1-aaaa")
    writer.member("consumer-2")
    assert boardview.member_id_of(writer.board) == "consumer-2"
    writer.member("é" * 200)
    assert boardview.member_id_of(writer.board) == "consumer-2"


def test_a_phase_is_also_a_heartbeat_and_counters_add_up(writer: BoardWriter) -> None:
    writer.phase(Phase.POLLING)
    words = writer.words
    assert words[StateWord.PHASE] == Phase.POLLING
    assert words[StateWord.HEARTBEAT] == words[StateWord.PHASE_SINCE] > 0
    writer.beat()
    assert words[StateWord.HEARTBEAT] >= words[StateWord.PHASE_SINCE]
    writer.add(Counter.HANDLED)
    writer.add(Counter.HANDLED, 41)
    writer.put(Counter.PAUSED, 3)
    counters = boardview.counters_of(writer.board)
    assert (counters["handled"], counters["paused"]) == (42, 3)
