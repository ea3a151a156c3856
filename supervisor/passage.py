"""What the boards tell whoever judges failures: how much is finished of each topic, and who has which partitions."""

from collections import Counter as Tally
from collections.abc import Mapping

from ..worker import boardview
from ..worker.board import Board
from ..worker.counters import Counter
from .slot import Slot


class Passage:
    """Totals by all workers there have been: they count on while processes come and go."""

    def __init__(self, slots: Mapping[int, Slot]) -> None:
        self._slots = slots
        self._carried: Tally[str] = Tally()

    def carry(self, board: Board) -> None:
        """Keep what a process has finished that is gone."""
        self._carried.update(boardview.passed_of(board))

    def totals(self) -> Mapping[str, int]:
        """Return topic -> finished records."""
        found = Tally(self._carried)
        for slot in self._slots.values():
            if slot.papers is not None:
                found.update(boardview.passed_of(slot.papers.board))
        return found

    def has(self, index: int) -> set[tuple[str, int]] | None:
        """Return the partitions of the worker in a slot; None if not all of them found room on its board."""
        slot = self._slots.get(index)
        if slot is None or slot.papers is None:
            return set()
        board = slot.papers.board
        if board.words[Counter.UNTRACKED]:
            return None
        return {(view.topic, view.partition) for view in boardview.partitions_of(board)}
