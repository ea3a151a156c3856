"""Wanted against actual: which slots to start, to retire, and which one to roll to the newest generation next.

Slots 0 to wanted-1 shall run. A changed count touches only the slots it adds or removes; a roll takes one slot at
a time, stop then start, and goes on only when every slot of the new generation is ready: never more members than slots.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from .child import GONE, State


@dataclass(frozen=True, slots=True)
class Slot:
    """One slot: `generation` is that of its process, or of the next one if none exists."""

    state: State
    generation: int
    wanted: bool


@dataclass(frozen=True, slots=True)
class Orders:
    """What to do now; `roll` is at most one slot to stop and start again."""

    start: tuple[int, ...] = ()
    retire: tuple[int, ...] = ()
    move: tuple[int, ...] = ()
    """Slots without a process that only change their generation."""
    roll: int | None = None


_BETWEEN: Final = GONE - {State.DOWN}


def reconcile(slots: Mapping[int, Slot], wanted: int, generation: int) -> Orders:
    """Return the orders that bring `slots` closer to `wanted` workers of `generation`."""
    kept = {index: slot for index, slot in slots.items() if index < wanted}
    start = tuple(index for index in range(wanted) if index not in slots or slots[index].state is State.DOWN)
    move = tuple(index for index, slot in kept.items() if slot.generation < generation and slot.state in _BETWEEN)
    return Orders(
        start=start,
        retire=tuple(
            index for index, slot in sorted(slots.items(), reverse=True) if index >= wanted and _lives_on(slot)
        ),
        move=move,
        # Who starts now is of the newest generation: whether that is any good, it is the first to show.
        roll=None if start or move else _next_to_roll(kept, generation),
    )


def _lives_on(slot: Slot) -> bool:
    return slot.wanted and slot.state is not State.DOWN


def _next_to_roll(kept: Mapping[int, Slot], generation: int) -> int | None:
    old = sorted(index for index, slot in kept.items() if slot.generation < generation and slot.state not in GONE)
    if not old or any(_unsettled(slot, generation) for slot in kept.values()):
        return None
    return old[0]


def _unsettled(slot: Slot, generation: int) -> bool:
    """A slot on its way down, or one of the new generation that is not ready (yet, or ever)."""
    if slot.generation < generation:
        return slot.state in {State.DRAINING, State.DUMPING, State.KILLING, State.LOST}
    return slot.state is not State.READY
