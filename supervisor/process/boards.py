"""The boards of this life's workers, and what a previous life left behind."""

import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from ...worker import boardview
from ...worker.board import Board
from ...worker.boardentries import entries_of
from ...worker.decide.handover import Entry
from ...worker.spec import SlotIdentity


@dataclass(frozen=True, slots=True)
class Leftover:
    """A worker of a supervisor that is gone: its slot, its Kafka member id if it had one, and what its board leaves."""

    slot: int
    member_id: str | None
    path: Path
    entries: tuple[Entry, ...] = ()


class Boards:
    """The folder of board files."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(mode=0o700, exist_ok=True)

    def create(self, identity: SlotIdentity, generation: int) -> tuple[Board, int, Path]:
        """Return a new board, its descriptor and its path; raises OSError if there is no room."""
        path = self._folder / f"{identity.life:016x}-{identity.slot}-{identity.incarnation}"
        board, fd = Board.create(path, identity, generation)
        return board, fd, path

    def take_leftovers(self) -> Iterator[Leftover]:
        """Read the boards of previous lives: the lock is ours, so none of their workers is alive.

        What leaves no entries, or is no board, is deleted.
        """
        for path in sorted(self._folder.iterdir(), key=_age):
            board = _open(path)
            leftover = None
            if board is not None:
                if board.valid:
                    member_id, entries = boardview.member_id_of(board), tuple(entries_of(board))
                    leftover = Leftover(board.identity.slot, member_id, path, entries)
                board.close()
            if leftover is None or not leftover.entries:
                delete(path)
            if leftover is not None:
                yield leftover


def delete(path: Path) -> None:
    """Delete a board's file."""
    with suppress(OSError):  # a folder, say: not ours, so it is left
        path.unlink()


def _age(path: Path) -> tuple[int, str]:
    with suppress(OSError):
        return path.lstat().st_mtime_ns, path.name
    return 0, path.name


def _open(path: Path) -> Board | None:
    try:
        fd = os.open(path, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError:
        return None
    try:
        return Board(fd)
    except (ValueError, OSError):
        return None
    finally:
        os.close(fd)
