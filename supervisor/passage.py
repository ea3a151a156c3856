"""What the boards tell whoever judges failures: how much is finished of each topic, and who has which partitions."""

from collections import Counter as Tally
from collections import deque
from collections.abc import Mapping
from typing import Final

from ..worker import boardview
from ..worker.board import Board
from ..worker.counters import Counter
from .slot import Slot

REMEMBERED: Final = 600
"""Moments that are remembered, a second apart."""


class Passage:
    """Totals by all workers there have been: they count on while processes come and go."""

    def __init__(self, slots: Mapping[int, Slot]) -> None:
        self._slots = slots
        self._carried: Tally[str] = Tally()
        self._before: deque[tuple[float, Mapping[str, int]]] = deque(maxlen=REMEMBERED)

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

    def remember(self, now: float) -> None:
        """Note the totals at `now`, monotonic seconds, for `since`."""
        self._before.append((now, self.totals()))

    def since(self, moment: float) -> Mapping[str, int]:
        """Return topic -> records finished since `moment`; rather too few than too many."""
        then = next((totals for at, totals in self._before if at >= moment), None)
        return {} if then is None else {topic: number - then.get(topic, 0) for topic, number in self.totals().items()}

    def has(self, index: int) -> set[tuple[str, int]] | None:
        """Return the partitions of the worker in a slot; None if not all of them found room on its board."""
        slot = self._slots.get(index)
        if slot is None or slot.papers is None:
            return set()
        board = slot.papers.board
        if board.words[Counter.UNTRACKED]:
            return None
        return {(view.topic, view.partition) for view in boardview.partitions_of(board)}
