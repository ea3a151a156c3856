"""The record loop on the board: of a series of calls, the record after what is done is the one under way."""

import pytest

from kherd.worker.board import Board
from kherd.worker.boardview import in_flight_of
from kherd.worker.boardwriter import FIRST_WORD, BoardWriter, done_word

from ..fakes.rig import Rig


def test_the_record_after_what_is_done_is_under_way(board: Board) -> None:
    writer = BoardWriter(board)
    topic, row = writer.topic("orders"), writer.assign("orders", 3, 99)
    writer.start_records(topic, 3, 0, row)
    board.words[done_word(row)] = 41
    writer.since(5e-9)
    [call] = in_flight_of(board)
    assert (call.topic, call.partition, call.first, call.last, call.since) == ("orders", 3, 41, 41, 5)


def test_without_a_row_to_look_at_the_position_is_its_own(board: Board) -> None:
    writer = BoardWriter(board)
    topic = writer.topic("orders")
    writer.start_records(topic, 3, -1, None)
    assert in_flight_of(board) == []
    board.words[FIRST_WORD] = 41
    assert [(one.first, one.last) for one in in_flight_of(board)] == [(41, 41)]


@pytest.mark.parametrize("answered", [True, False])
def test_a_handler_finds_its_own_record_in_flight_also_behind_an_open_one(board: Board, answered: bool) -> None:
    # Given a series of records of which the first is not settled yet, or is
    rig = Rig(board, commit_interval=0.0)
    seen: list[tuple[int, int, int]] = []

    def look(message: object) -> None:
        [call] = in_flight_of(board)
        seen.append((call.partition, call.first, call.last))

    try:
        rig.group.news.append(("on_assign", [1]))
        for _ in range(3):
            rig.group.write(1, b"x")
        rig.session.handler.invoke = look
        rig.go(2)
        [partition] = rig.session.partitions
        if not answered:
            partition.offsets.open(3)
        for _ in range(3):
            rig.group.write(1, b"x", gap=1 if len(rig.group.log[1]) == 3 else 0)
        rig.go(4)
    finally:
        rig.close()

    # Then what is under way is each record, or where it was to be looked for
    assert seen[:3] == [(1, 0, 0), (1, 1, 1), (1, 2, 2)]
    assert [first for _, first, _ in seen[3:]] == ([3, 5, 6] if answered else [4, 5, 6])
