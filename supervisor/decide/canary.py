"""What there is to see during a roll, and which event of `roll` it is: whom to try first, and what it is judged by."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from .child import State as Child
from .roll import SUSPENDED_SECONDS, TRYING, Roll, State
from .rollevents import AllReady, CanaryLost, CanaryReady, CanaryRetired, Chosen, Event, Failed, Loaded, Unprotected

WAY_DOWN: Final = frozenset({Child.DRAINING, Child.DUMPING, Child.KILLING, Child.LOST})
_AT_REST: Final = frozenset({Child.READY, Child.BACKOFF, Child.HELD})


@dataclass(frozen=True, slots=True)
class Slot:
    """One slot: `generation` is that of its process, or of the next one if none exists; `failing`: its starts fail."""

    state: Child
    generation: int
    wanted: bool
    failing: bool = False


@dataclass(frozen=True, slots=True)
class View:
    """What is seen. `reachable`: whether a broker answers, None is unknown.

    Seconds: `patience` for finding a slot to try the generation in, `limit` for its start, `settle` for staying ready.
    `trouble` says what is wrong with the new mold or the canary; `lost`: the canary ended, but nobody may be judged.
    """

    slots: Mapping[int, Slot]
    loaded: bool
    reachable: bool | None
    patience: float
    limit: float
    settle: float
    trouble: str | None = None
    lost: bool = False


def counted(seconds: float, *, reachable: bool | None, started: bool) -> float:
    """Return how much of the time between two looks counts.

    None of it does while no broker answers (`reachable` False; None is unknown), or before the canary's new process
    is `started`; more than SUSPENDED_SECONDS means that the supervisor did not run.
    """
    return 0.0 if reachable is False or not started else min(seconds, SUSPENDED_SECONDS)


def perceive(roll: Roll, view: View) -> Event | None:
    """Return what has happened to `roll` by what is seen; None: nothing, or nothing more."""
    if roll.state in TRYING and view.trouble is not None:
        return Failed(view.trouble)
    match roll.state:
        case State.MOLDING if view.loaded:
            return Loaded(view.patience)
        case State.CHOOSING:
            return _choose(roll, view)
        case State.CANARY | State.SETTLING:
            return _try(roll, view)
        case State.ROLLING if _all_ready(roll, view):
            return AllReady()
    return None


def _try(roll: Roll, view: View) -> Event | None:
    canary = view.slots.get(roll.slot) if roll.slot is not None else None
    if canary is None or not canary.wanted:
        return CanaryRetired(view.patience)
    ready = canary.state is Child.READY and canary.generation == roll.generation
    if view.lost or (roll.state is State.SETTLING and not ready):
        return CanaryLost(view.limit)
    return CanaryReady(view.settle) if ready and roll.state is State.CANARY else None


def _choose(roll: Roll, view: View) -> Event | None:
    """Take the first slot that is ready, when nobody is on the way up or down: at most one is missing by our will."""
    wanted = {index: slot for index, slot in view.slots.items() if slot.wanted}
    ready = sorted(index for index, slot in wanted.items() if slot.state is Child.READY)
    late = roll.left <= 0
    if not ready and (late or not any(_sound(slot) for slot in wanted.values())):
        return Unprotected()
    if view.reachable is False or any(slot.state in WAY_DOWN for slot in wanted.values()):
        return None
    at_rest = late or all(slot.state in _AT_REST for slot in wanted.values())
    return Chosen(ready[0], view.limit) if ready and at_rest else None


def _sound(slot: Slot) -> bool:
    """Whether it does its work, or is about to: its last start, if that is known, went well."""
    return slot.state is Child.READY or (not slot.failing and slot.state not in {Child.BACKOFF, Child.HELD, Child.DOWN})


def _all_ready(roll: Roll, view: View) -> bool:
    return all(
        slot.wanted and slot.state is Child.READY and slot.generation == roll.generation for slot in view.slots.values()
    )


def describe_trial(roll: Roll | None) -> str:
    """Return how far the trial of a generation is; empty if there is none."""
    match None if roll is None else roll.state:
        case State.MOLDING:
            return "its mold loads the handler"
        case State.CHOOSING:
            return "a worker to try it is waited for"
        case State.CANARY if roll is not None:
            return f"worker {roll.slot} tries it"
        case State.SETTLING if roll is not None:
            return f"worker {roll.slot} tries it and has to stay ready"
    return ""
