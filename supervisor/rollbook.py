"""What is told of a roll: to the log, and to whoever reads the status document."""

from collections.abc import Iterable
from typing import Any

from ..worker import clock, events, log
from .decide.child import State as Child
from .decide.roll import Roll, State
from .slot import Slot


def document(roll: Roll, slots: Iterable[Slot]) -> dict[str, Any]:
    """Return a roll as JSON values; `since` and `left` in seconds."""
    running = [slot.running for slot in slots]
    return {
        "generation": roll.generation,
        "back_to": roll.back_to,
        "state": roll.state.value,
        "since": round(clock.monotonic() - roll.since, 3),
        "left": round(roll.left, 3),
        "canary": roll.slot,
        "moved": running.count(roll.generation),
        "slots": len(running),
        "reason": roll.reason or None,
        "stuck": stuck(roll, slots),
    }


def stuck(roll: Roll, slots: Iterable[Slot]) -> str | None:
    """Return what keeps the roll of an accepted generation from ever going on by itself; None: nothing."""
    if roll.state is not State.ROLLING:
        return None
    held = (slot.handle for slot in slots if slot.handle.child.state is Child.HELD)
    return next((f"{handle.name} is held down: {handle.child.reason}" for handle in held), None)


def tell(before: Roll, after: Roll) -> None:
    """Log what a roll has come to."""
    generation, back_to, reason = after.generation, after.back_to, after.reason
    match after.state:
        case State.CANARY if before.state is State.CHOOSING:
            log.emit(events.CANARY_CHOSEN, child=f"worker {after.slot}", generation=generation)
        case State.ROLLING if before.slot is None:
            log.emit(events.CANARY_SKIPPED, generation=generation)
        case State.ROLLING:
            log.emit(events.CANARY_ACCEPTED, child=f"worker {after.slot}", generation=generation)
        case State.DONE:
            log.emit(events.ROLL_DONE, generation=generation)
        case State.ROLLED_BACK:
            log.emit(events.ROLLED_BACK, generation=generation, back_to=back_to, reason=reason)
        case State.ABANDONED:
            log.emit(events.ROLL_ABANDONED, generation=generation, reason=reason)
