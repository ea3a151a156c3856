"""The board's file: allocated, sealed, and ignored by readers if it is anything but what this version wrote."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kherd.supervisor.process.boards import Boards
from kherd.worker import boardview
from kherd.worker.board import HEADER_WORDS, NONE, SIZE, Board, Header, Phase, StateWord
from kherd.worker.boardwriter import BoardWriter
from kherd.worker.spec import SlotIdentity

IDENTITY = SlotIdentity(life=2**61, slot=3, incarnation=7)


def _create(path: Path) -> Board:
    board, fd = Board.create(path, IDENTITY, generation=2)
    os.close(fd)
    return board


def test_a_new_board_is_sealed_private_allocated_and_empty(tmp_path: Path) -> None:
    path = tmp_path / "board"
    board = _create(path)
    assert board.valid
    assert board.identity == IDENTITY
    assert board.words[Header.GENERATION] == 2
    status = path.stat()
    assert (status.st_size, status.st_mode & 0o777) == (SIZE, 0o600)
    assert status.st_blocks * 512 >= SIZE  # a sparse file would be SIGBUS on a full tmpfs
    assert boardview.in_flight_of(board) == []
    assert boardview.partitions_of(board) == []
    assert boardview.member_id_of(board) is None
    assert boardview.phase_of(board) is Phase.BOOTING
    assert set(boardview.counters_of(board).values()) == {0}
    board.close()


def test_a_board_is_never_created_twice_nor_left_half_made(tmp_path: Path) -> None:
    path = tmp_path / "board"
    _create(path).close()
    with pytest.raises(FileExistsError):
        Board.create(path, IDENTITY, generation=2)
    with pytest.raises(FileNotFoundError):
        Board.create(tmp_path / "missing" / "board", IDENTITY, generation=2)


def test_what_one_process_writes_another_mapping_sees(tmp_path: Path) -> None:
    board = _create(tmp_path / "board")
    with (tmp_path / "board").open("r+b") as file:
        other = Board(file.fileno())
    BoardWriter(board).phase(Phase.HANDLING)
    assert boardview.phase_of(other) is Phase.HANDLING
    board.close()
    other.close()


@given(word=st.integers(0, HEADER_WORDS), change=st.integers(1, 2**62))
def test_any_change_of_the_header_is_noticed(tmp_path_factory: pytest.TempPathFactory, word: int, change: int) -> None:
    board = _create(tmp_path_factory.mktemp("board") / "board")
    before = board.words[word]
    board.words[word] ^= change
    assert not board.valid
    board.words[word] = before
    board.words[StateWord.HEARTBEAT] = 5
    assert board.valid
    board.close()


def test_a_phase_of_a_later_version_reads_as_booting(tmp_path: Path) -> None:
    board = _create(tmp_path / "board")
    board.words[StateWord.PHASE] = 99
    assert boardview.phase_of(board) is Phase.BOOTING
    board.close()


def test_leftovers_are_read_once_and_what_is_no_board_is_ignored(tmp_path: Path) -> None:
    folder = tmp_path / "board"
    boards = Boards(folder)
    board, fd, path = boards.create(IDENTITY, 2)
    BoardWriter(board).member("consumer-1")
    os.close(fd)
    board.close()
    whole = path.read_bytes()
    (folder / "empty").write_bytes(b"")
    (folder / "truncated").write_bytes(whole[: SIZE // 2])
    (folder / "zeros").write_bytes(bytes(SIZE))
    (folder / "foreign").write_bytes(os.urandom(SIZE))
    (folder / "corrupt").write_bytes(whole[:8] + b"\x7f" + whole[9:])
    (folder / "link").symlink_to(path)
    (folder / "folder").mkdir()
    found = [(leftover.slot, leftover.member_id) for leftover in boards.take_leftovers()]
    assert found == [(3, "consumer-1")]
    assert [entry.name for entry in folder.iterdir()] == ["folder"]
    assert list(boards.take_leftovers()) == []


def test_a_board_without_a_member_id_is_a_leftover_without_one(tmp_path: Path) -> None:
    boards = Boards(tmp_path / "board")
    board, fd, _ = boards.create(IDENTITY, 2)
    os.close(fd)
    board.close()
    assert [leftover.member_id for leftover in boards.take_leftovers()] == [None]


def test_words_hold_every_offset_kafka_can_have(tmp_path: Path) -> None:
    board = _create(tmp_path / "board")
    for value in (0, NONE, 2**63 - 1, -(2**63)):
        board.words[StateWord.READY] = value
        assert board.words[StateWord.READY] == value
    board.close()
