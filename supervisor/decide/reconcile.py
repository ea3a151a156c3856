"""Wanted against actual: which slots to start, to retire, and which one to roll to the newest generation next.

New slots get the lowest free numbers, and those with the least to do are retired. A changed count touches only the
slots it adds or removes; a roll takes one slot at a time, stop then start, and goes on only when every slot of the new
generation is ready: never more members than slots.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import count, islice
from typing import Final

from .child import ENDING, GONE, State

LOAD_STEP: Final = 0.25
"""Loads that differ by less are equal: what a worker did in the last seconds is chance."""


@dataclass(frozen=True, slots=True)
class Slot:
    """One slot: `generation` is that of its process, or of the next one if none exists.

    `load` is the share of its time that its worker spends in the handler, 0 to 1; `steady` if it has been ready for
    long enough; `worn` is how urgently its process is to be replaced, 0 if it is not (`limits`).
    """

    state: State
    generation: int
    wanted: bool
    load: float = 0.0
    steady: bool = True
    worn: float = 0.0


@dataclass(frozen=True, slots=True)
class Orders:
    """What to do now; `roll` and `recycle` are at most one slot to stop and start again."""

    start: tuple[int, ...] = ()
    retire: tuple[int, ...] = ()
    move: tuple[int, ...] = ()
    """Slots without a process that only change their generation."""
    roll: int | None = None
    recycle: int | None = None


_BETWEEN: Final = GONE - {State.DOWN}


def reconcile(slots: Mapping[int, Slot], wanted: int, generation: int) -> Orders:
    """Return the orders that bring `slots` closer to `wanted` workers of `generation`."""
    running = [index for index, slot in slots.items() if slot.wanted and slot.state is not State.DOWN]
    retire = tuple(sorted(running, key=lambda index: (_rank(slots[index]), -index))[: max(0, len(running) - wanted)])
    kept = {index: slots[index] for index in running if index not in retire}
    # A slot that is on its way down is waited for: its number is taken until then.
    free = (index for index in count() if index not in running)
    start = tuple(
        index
        for index in islice(free, max(0, wanted - len(running)))
        if index not in slots or slots[index].state is State.DOWN
    )
    waiting = wanted - len(kept) - len(start)
    move = tuple(index for index, slot in kept.items() if slot.generation < generation and slot.state in _BETWEEN)
    return Orders(
        start=start,
        retire=retire,
        move=move,
        # Who starts now is of the newest generation: whether that is any good, it is the first to show.
        roll=None if start or move or waiting else _next_to_roll(kept, generation),
        recycle=None if start or retire or move or waiting else _most_worn(slots, generation),
    )


def _rank(slot: Slot) -> int:
    """Return the load in steps that matter: between equals the highest number goes, so that low ones stay in use."""
    return round(slot.load / LOAD_STEP)


def _next_to_roll(kept: Mapping[int, Slot], generation: int) -> int | None:
    old = sorted(index for index, slot in kept.items() if slot.generation < generation and slot.state not in GONE)
    if not old or any(_unsettled(slot, generation) for slot in kept.values()):
        return None
    return old[0]


def _most_worn(slots: Mapping[int, Slot], generation: int) -> int | None:
    """Return who goes next, if nothing else is going on: all others are ready, for long enough, and of the newest."""
    there = {index: slot for index, slot in slots.items() if slot.state is not State.DOWN}
    if any(slot.state is not State.READY or slot.generation != generation for slot in there.values()):
        return None
    worn = max(there, key=lambda index: (there[index].worn, -index), default=None)
    if worn is None or not there[worn].worn:
        return None
    return worn if all(slot.steady for index, slot in there.items() if index != worn) else None


def _unsettled(slot: Slot, generation: int) -> bool:
    """A slot on its way down, or one of the new generation that is not ready (yet, or ever)."""
    if slot.generation < generation:
        return slot.state in ENDING
    return slot.state is not State.READY
