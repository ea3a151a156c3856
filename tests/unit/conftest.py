"""What several unit tests begin with."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from kherd.worker.board import Board
from kherd.worker.spec import SlotIdentity


@pytest.fixture
def board(tmp_path: Path) -> Iterator[Board]:
    """A new board, of slot 0."""
    made, fd = Board.create(tmp_path / "board", SlotIdentity(1, 0, 1), 1)
    os.close(fd)
    yield made
    made.close()
