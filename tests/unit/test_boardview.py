"""Reading a board while another process writes it: no torn row, and one that does not hold still is left out."""

import signal

import pytest

from kherd.worker import boardview
from kherd.worker.board import IN_FLIGHT, MEMBER, PARTITIONS, Board
from kherd.worker.boardrow import PartitionWord
from kherd.worker.boardwriter import BoardWriter

from ..fakes.processes import child

READS = 3_000
TOPICS = ("orders", "returns", "x" * 249)


def _hammer(writer: BoardWriter) -> None:
    """Write rows whose every field follows from one number, until killed."""
    topics = [writer.topic(name) for name in TOPICS]
    n = 0
    while True:
        n += 1
        writer.start_call(n % 3, topics[n % 3], n, n, 2 * n, 3 * n)
        if n % 5 == 0:
            writer.end_call(n % 3)
        name = TOPICS[n % 3]
        base = writer.assign(name, n, nonce=n * 7)
        writer.member(f"consumer-{n}-" + "y" * (n % 100) + f"-{n}")
        if base is not None and n > 4:
            writer.unassign(TOPICS[(n - 4) % 3], n - 4)


def test_no_row_is_ever_torn_while_another_process_writes(board: Board) -> None:
    calls = rows = members = 0
    with child(lambda: _hammer(BoardWriter(board)), stay=False) as writer:
        for _ in range(READS):
            for call in boardview.in_flight_of(board):
                n, calls = call.partition, calls + 1
                assert (call.topic, call.first, call.last, call.attempt) == (TOPICS[n % 3], n, 2 * n, 3 * n)
            for view in boardview.partitions_of(board):
                n, rows = view.partition, rows + 1
                assert (view.topic, view.nonce) == (TOPICS[n % 3], n * 7)
            member = boardview.member_id_of(board)
            if member is not None:
                members += 1
                n = int(member.split("-")[1])
                assert member == f"consumer-{n}-" + "y" * (n % 100) + f"-{n}"
        writer.end(signal.SIGKILL)
    assert min(calls, rows, members) > READS // 10
    assert board.valid


def test_a_writer_that_died_in_the_middle_of_a_row_leaves_that_row_out(board: Board) -> None:
    writer = BoardWriter(board)
    writer.member("consumer-1")
    topic = writer.topic("orders")
    writer.start_call(0, topic, 0, 1, 1, 1)
    writer.start_call(1, topic, 1, 1, 1, 1)
    base = writer.assign("orders", 0, nonce=1)
    writer.assign("orders", 1, nonce=1)
    assert base == PARTITIONS
    for sequence in (MEMBER, IN_FLIGHT, base + PartitionWord.SEQUENCE):
        board.words[sequence] += 1
    assert boardview.member_id_of(board) is None
    assert [call.partition for call in boardview.in_flight_of(board)] == [1]
    assert [view.partition for view in boardview.partitions_of(board)] == [1]


@pytest.mark.parametrize("length", [0, -1, 257, 2**62])
def test_a_length_that_cannot_be_is_no_text(board: Board, length: int) -> None:
    BoardWriter(board).member("consumer-1")
    board.words[MEMBER + 1] = length
    assert boardview.member_id_of(board) is None


def test_a_row_that_names_no_topic_has_an_empty_one(board: Board) -> None:
    writer = BoardWriter(board)
    for row, topic in enumerate((-7, 5, 1_000)):
        writer.start_call(row, topic, row, 1, 1, 1)
    assert [call.topic for call in boardview.in_flight_of(board)] == ["", "", ""]


def test_a_text_that_is_no_utf8_is_shown_as_far_as_it_is(board: Board) -> None:
    BoardWriter(board).member("abc")
    board.words.cast("B")[(MEMBER + 2) * 8] = 0xFF
    assert boardview.member_id_of(board) == "\ufffdbc"
