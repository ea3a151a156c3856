"""Passage: what is finished of each topic, by all workers there have been, in all and since a moment."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from kherd.supervisor.passage import Passage
from kherd.supervisor.process.handle import Handle
from kherd.supervisor.slot import Papers, Slot, stacks_file
from kherd.worker.board import Board, passed_word
from kherd.worker.boardwriter import BoardWriter
from kherd.worker.spec import SlotIdentity


class Herd:
    """Workers with a board each."""

    def __init__(self, folder: Path) -> None:
        self.slots: dict[int, Slot] = {}
        self._folder = folder

    def add(self, index: int) -> BoardWriter:
        identity, path = SlotIdentity(1, index, 1), self._folder / f"board-{index}"
        board, fd = Board.create(path, identity, 1)
        os.close(fd)
        papers = Papers(identity, 1, board, path, stacks_file(index))
        self.slots[index] = Slot(index, Handle(f"worker {index}", 60.0), 1, papers=papers)
        return BoardWriter(board)


@pytest.fixture
def herd(tmp_path: Path) -> Iterator[Herd]:
    one = Herd(tmp_path)
    yield one
    for slot in one.slots.values():
        assert slot.papers is not None
        slot.papers.discard()


def finish(writer: BoardWriter, topic: str, records: int) -> None:
    writer.words[passed_word(writer.topic(topic))] += records


def test_totals_are_of_all_workers_that_are_and_that_were(herd: Herd) -> None:
    first, second = herd.add(0), herd.add(1)
    passage = Passage(herd.slots)
    finish(first, "orders", 5)
    finish(second, "orders", 7)
    finish(second, "payments", 1)
    assert passage.totals() == {"orders": 12, "payments": 1}
    gone = herd.slots.pop(1).papers
    assert gone is not None
    passage.carry(gone.board)
    gone.discard()
    assert passage.totals() == {"orders": 12, "payments": 1}


def test_since_a_moment_is_counted_from_the_first_look_after_it(herd: Herd) -> None:
    writer = herd.add(0)
    passage = Passage(herd.slots)
    finish(writer, "orders", 5)
    passage.remember(10.0)
    finish(writer, "orders", 7)
    passage.remember(11.0)
    finish(writer, "orders", 1)
    finish(writer, "payments", 2)
    assert passage.since(9.0) == {"orders": 8, "payments": 2}
    assert passage.since(10.5) == {"orders": 1, "payments": 2}
    assert passage.since(11.5) == {}
