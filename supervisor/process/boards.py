"""The boards of this life's workers, and what a previous life left behind."""

import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from ...worker.board import Board, Header
from ...worker.boardentries import acknowledged_of, entries_of, identities_of
from ...worker.boardview import InFlight, in_flight_of, member_id_of
from ...worker.decide.handover import Entry, Identity
from ...worker.decide.pressure import Key
from ...worker.spec import SlotIdentity


@dataclass(frozen=True, slots=True)
class Leftover:
    """A worker of a supervisor that is gone: its slot, its Kafka member id if it had one, and what its board leaves."""

    slot: int
    member_id: str | None
    path: Path
    entries: tuple[Entry, ...] = ()
    acknowledged: Mapping[Key, int] = field(default_factory=dict)
    identities: Mapping[str, Identity] = field(default_factory=dict)
    calls: tuple[InFlight, ...] = ()
    """What was in flight when it ended."""


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

        The oldest first. What leaves no entries, or is no board, is deleted.
        """
        found = []
        for path in self._folder.iterdir():
            board = _open(path)
            if board is not None and board.valid:
                found.append((board.words[Header.CREATED], path.name, _leftover(board, path)))
            if board is None or not board.valid or not found[-1][2].entries:
                delete(path)
            if board is not None:
                board.close()
        yield from (leftover for _, _, leftover in sorted(found, key=lambda one: one[:2]))


def delete(path: Path) -> None:
    """Delete a board's file."""
    with suppress(OSError):  # a folder, say: not ours, so it is left
        path.unlink()


def _leftover(board: Board, path: Path) -> Leftover:
    entries, acknowledged = tuple(entries_of(board)), acknowledged_of(board)
    identities = identities_of(board)
    calls, member_id = tuple(in_flight_of(board)), member_id_of(board)
    return Leftover(board.identity.slot, member_id, path, entries, acknowledged, identities, calls)


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
