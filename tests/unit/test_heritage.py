"""Boards of dead workers: kept with their files as long as they are of use, told to workers, and given up for room."""

import os
from pathlib import Path
from typing import Any

import pytest

from kherd.supervisor.decide.orphans import MOST_BOARDS
from kherd.supervisor.heritage import Heritage
from kherd.worker.board import Board
from kherd.worker.boardwriter import BoardWriter, committed_word, done_word
from kherd.worker.decide.handover import Commit, Identity
from kherd.worker.heritage import Heritage as Told
from kherd.worker.spec import SlotIdentity


class Rig:
    """A heritage whose workers and liaison remember what they are told."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.told: list[dict[str, Any]] = []
        self.asked: list[dict[str, Any]] = []
        self.heritage = Heritage(self.told.append, life=1)
        self.heritage.liaison = self.asked.append
        self.boards = 0

    def board(self, done: int, committed: int | None = None, partition: int = 0) -> tuple[Path, Board]:
        """Return the board of a worker that was assigned a partition without a commit."""
        self.boards += 1
        path = self.folder / f"board-{self.boards}"
        board, fd = Board.create(path, SlotIdentity(1, 0, self.boards), 1)
        os.close(fd)
        writer = BoardWriter(board)
        base = writer.assign("orders", partition, self.boards)
        assert base is not None
        writer.base(base, Commit(None))
        writer.words[done_word(base)] = done
        if committed is not None:
            writer.words[committed_word(base)] = committed
        return path, board

    def bury(self, done: int, committed: int | None = None, partition: int = 0) -> Path:
        path, board = self.board(done, committed, partition)
        if not self.heritage.bury(path, board):
            path.unlink()
        board.close()
        return path

    @property
    def known(self) -> list[int]:
        """How far the entries are that a worker which has heard everything knows."""
        told = Told()
        for message in self.told:
            if message["type"] == "orphans":
                told.take_orphans(message)
        return [entry.done for entries in told.entries.values() for entry in entries]


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    return Rig(tmp_path)


def test_a_board_with_work_beyond_its_commits_is_kept_and_told(rig: Rig) -> None:
    path = rig.bury(10, 4)
    assert path.exists()
    assert rig.known == [10]
    assert [message["topics"] for message in rig.asked] == [["orders"]]
    assert [message for message in rig.heritage.greet() if message["type"] == "orphans"]


@pytest.mark.parametrize(("done", "committed"), [(10, 10), (0, None)])
def test_a_board_without_is_not(rig: Rig, done: int, committed: int | None) -> None:
    assert rig.bury(done, committed).exists() == (committed is None)
    assert rig.known == ([0] if committed is None else [])


def test_it_goes_when_a_living_owners_commit_is_acknowledged(rig: Rig) -> None:
    path, other = rig.bury(10, 4), rig.bury(10, 4, partition=1)
    _, alive = rig.board(10, 10)
    rig.heritage.look([alive])
    alive.close()
    assert (path.exists(), other.exists()) == (False, True)
    assert rig.known == [10]


def test_it_goes_when_the_group_has_committed_as_much(rig: Rig) -> None:
    path = rig.bury(10, 4)
    rig.heritage.committed({("orders", 0): 9})
    assert path.exists()
    rig.heritage.committed({("orders", 0): 10})
    assert not path.exists()
    assert rig.known == []


def test_a_crash_loop_does_not_fill_the_disk(rig: Rig) -> None:
    paths = [rig.bury(10 + number) for number in range(MOST_BOARDS + 5)]
    assert [path.exists() for path in paths] == [False] * 5 + [True] * MOST_BOARDS
    assert len(rig.heritage) == MOST_BOARDS


def test_on_a_full_disk_the_files_go_and_workers_still_know(rig: Rig) -> None:
    path = rig.bury(10, 4)
    assert rig.heritage.give_up_files()
    assert not path.exists()
    assert not rig.heritage.give_up_files()
    assert len(rig.heritage) == 1


def test_a_new_liaison_is_asked_what_the_last_one_did_not_answer(rig: Rig) -> None:
    rig.heritage.ask(["orders"])
    rig.heritage.ask_again()
    assert [message["topics"] for message in rig.asked] == [["orders"], ["orders"]]
    answer = {"type": "identified", "cluster": "c", "topics": {"orders": "11" * 16}, "at": 1.0}
    rig.heritage.answered(answer)
    rig.heritage.ask_again()
    assert len(rig.asked) == 2
    told = Told()
    for message in rig.heritage.greet():
        told.take_identities(message)
    assert told.identities.keys() == {"orders"}
    assert told.asked_at == {"orders": 1.0}


def test_a_new_worker_hears_of_each_topic_when_it_was_asked_for(rig: Rig) -> None:
    answer = {"type": "identified", "cluster": "c", "topics": {"a": "11" * 16, "b": "22" * 16}, "at": 1.0}
    rig.heritage.answered(answer)
    rig.heritage.answered({**answer, "topics": {"b": "33" * 16}, "at": 2.0})
    told = Told()
    for message in rig.heritage.greet():
        told.take_identities(message)
    assert told.asked_at == {"a": 1.0, "b": 2.0}


def test_what_boards_of_a_life_before_say_of_topics_is_told_as_old(rig: Rig) -> None:
    one, two = Identity(1, 2, 3), Identity(1, 2, 4)
    rig.heritage.remember({"a": one})
    rig.heritage.remember({"b": two})
    told = Told()
    for message in rig.heritage.greet():
        told.take_identities(message)
    assert told.identities == {"a": one, "b": two}
    assert max(told.asked_at.values()) < 0


def test_on_the_embedded_broker_a_topic_is_known_at_once_and_is_another_one_in_another_life(rig: Rig) -> None:
    rig.heritage.liaison = None
    rig.heritage.ask(["orders"])
    other: list[dict[str, Any]] = []
    Heritage(other.append, life=2).ask(["orders"])
    assert rig.told[0]["topics"]["orders"] != other[0]["topics"]["orders"]
