"""STATE MACHINE of a roll: a new generation is tried in one slot, then rolled out slot by slot, or taken back.

    MOLDING -> CHOOSING -> CANARY <-> SETTLING -> ROLLING -> DONE
       |          +--- nothing to lose ------------^
       +----------+----------+-----------+--> ROLLED_BACK
       +----------+----------+-----------+---------+--> ABANDONED

No slot is touched before the new mold has loaded the handler. Until the canary is accepted everybody else, and whoever
is started, is of the generation `back_to`; what fails after that is the restart policy's business. The clock, `left`,
runs by `Elapsed` alone: who sends it leaves out the time in which nobody may be judged (`counted`).
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import Enum
from typing import Final

from .rollevents import (
    EVENTS,
    Abandon,
    Action,
    AllReady,
    CanaryLost,
    CanaryReady,
    CanaryRetired,
    Chosen,
    Elapsed,
    Event,
    Failed,
    Loaded,
    Unprotected,
)

__all__ = [
    "EVENTS", "JOIN_SECONDS", "OVER", "SUSPENDED_SECONDS", "TRANSITIONS", "TRYING", "UNPROVEN_SECONDS", "Abandon",
    "Action", "AllReady", "CanaryLost", "CanaryReady", "CanaryRetired", "Chosen", "Elapsed", "Event", "Failed",
    "IllegalEventError", "Loaded", "Move", "Roll", "State", "Unprotected", "step",
]  # fmt: skip

JOIN_SECONDS: Final = 60.0
"""Time a canary has for joining the group, after that for booting."""
UNPROVEN_SECONDS: Final = 10.0
"""Time that a generation of which nobody has ever been ready has for showing that it is worth protecting."""
SUSPENDED_SECONDS: Final = 3.0
"""More time between two looks than this was not ours: the supervisor did not run."""


class State(Enum):
    """How far a roll has come."""

    MOLDING = "molding"
    CHOOSING = "choosing"
    CANARY = "canary"
    SETTLING = "settling"
    ROLLING = "rolling"
    DONE = "done"
    ROLLED_BACK = "rolled_back"
    ABANDONED = "abandoned"


TRYING: Final = frozenset({State.MOLDING, State.CHOOSING, State.CANARY, State.SETTLING})
"""States in which the generation is not accepted yet."""
OVER: Final = frozenset({State.DONE, State.ROLLED_BACK, State.ABANDONED})


@dataclass(frozen=True, slots=True)
class Roll:
    """One roll. Times are monotonic seconds; `slot` is the canary's, `left` the seconds on the clock of its state."""

    generation: int
    back_to: int
    state: State = State.MOLDING
    since: float = 0.0
    slot: int | None = None
    left: float = 0.0
    reason: str = ""
    """Why it was rolled back or abandoned."""


Step = tuple[Roll, tuple[Action, ...]]


class IllegalEventError(Exception):
    """[BUG] an event came that cannot come in this state; nothing has changed."""


@dataclass(frozen=True, slots=True)
class Move:
    """One cell of the table: the states it may lead to, and how."""

    to: tuple[State, ...]
    by: Callable[[Roll, Event, float], Step]


def _choose(roll: Roll, event: Event, now: float) -> Step:
    assert isinstance(event, Loaded | CanaryRetired)
    return replace(roll, state=State.CHOOSING, since=now, slot=None, left=event.limit), ()


def _try(roll: Roll, event: Event, now: float) -> Step:
    assert isinstance(event, Chosen)
    return replace(roll, state=State.CANARY, since=now, slot=event.slot, left=event.limit), (Action.STOP_CANARY,)


def _again(roll: Roll, event: Event, now: float) -> Step:
    assert isinstance(event, CanaryLost)
    return replace(roll, state=State.CANARY, since=now, left=event.limit), ()


def _settle(roll: Roll, event: Event, now: float) -> Step:
    assert isinstance(event, CanaryReady)
    if event.settle <= 0:
        return _accept(roll, event, now)
    return replace(roll, state=State.SETTLING, since=now, left=event.settle), ()


def _accept(roll: Roll, _: Event, now: float) -> Step:
    return replace(roll, state=State.ROLLING, since=now, left=0.0), (Action.ACCEPT,)


def _count(roll: Roll, event: Event, _: float) -> Step:
    assert isinstance(event, Elapsed)
    return replace(roll, left=max(0.0, min(roll.left, event.most) - event.seconds)), ()


def _wait(roll: Roll, event: Event, now: float) -> Step:
    after, _ = _count(roll, event, now)
    if after.left > 0:
        return after, ()
    return _fail(after, Failed(f"worker {roll.slot}, the canary, was not ready in time"), now)


def _outlast(roll: Roll, event: Event, now: float) -> Step:
    after, _ = _count(roll, event, now)
    return (after, ()) if after.left > 0 else _accept(after, event, now)


def _fail(roll: Roll, event: Event, now: float) -> Step:
    assert isinstance(event, Failed)
    return replace(roll, state=State.ROLLED_BACK, since=now, left=0.0, reason=event.reason), (Action.ROLL_BACK,)


def _end(roll: Roll, _: Event, now: float) -> Step:
    return replace(roll, state=State.DONE, since=now), ()


def _abandon(roll: Roll, event: Event, now: float) -> Step:
    assert isinstance(event, Abandon)
    actions = (Action.ROLL_BACK,) if roll.state in TRYING else ()
    return replace(roll, state=State.ABANDONED, since=now, left=0.0, reason=event.reason), actions


IGNORE: Final = "ignore"
ILLEGAL: Final = "illegal"
Cell = Move | str

_CHOOSE = Move((State.CHOOSING,), _choose)
_TRY = Move((State.CANARY,), _try)
_AGAIN = Move((State.CANARY,), _again)
_READY = Move((State.SETTLING, State.ROLLING), _settle)
_COUNT = Move((State.CHOOSING,), _count)
_WAIT = Move((State.CANARY, State.ROLLED_BACK), _wait)
_LAST = Move((State.SETTLING, State.ROLLING), _outlast)
_FAIL = Move((State.ROLLED_BACK,), _fail)
_TAKE = Move((State.ROLLING,), _accept)
_DONE = Move((State.DONE,), _end)
_DROP = Move((State.ABANDONED,), _abandon)
_OVER: Final = (IGNORE,) * len(EVENTS)

# fmt: off
_ROWS: Final[dict[State, tuple[Cell, ...]]] = {
    #                Loaded   Unprotected Chosen   CanaryReady CanaryLost CanaryRetired Failed  Elapsed AllReady Abandon
    State.MOLDING:  (_CHOOSE, ILLEGAL,    ILLEGAL, ILLEGAL,    ILLEGAL,   ILLEGAL,      _FAIL,  IGNORE, ILLEGAL, _DROP),
    State.CHOOSING: (IGNORE,  _TAKE,      _TRY,    ILLEGAL,    ILLEGAL,   ILLEGAL,      _FAIL,  _COUNT, ILLEGAL, _DROP),
    State.CANARY:   (IGNORE,  ILLEGAL,    ILLEGAL, _READY,     _AGAIN,    _CHOOSE,      _FAIL,  _WAIT,  ILLEGAL, _DROP),
    State.SETTLING: (IGNORE,  ILLEGAL,    ILLEGAL, IGNORE,     _AGAIN,    _CHOOSE,      _FAIL,  _LAST,  ILLEGAL, _DROP),
    State.ROLLING:  (IGNORE,  ILLEGAL,    ILLEGAL, IGNORE,     IGNORE,    IGNORE,       IGNORE, IGNORE, _DONE,   _DROP),
    State.DONE: _OVER,
    State.ROLLED_BACK: _OVER,
    State.ABANDONED: _OVER,
}
# fmt: on
TRANSITIONS: Final[dict[tuple[State, type[Event]], Cell]] = {
    (state, event): cell for state, row in _ROWS.items() for event, cell in zip(EVENTS, row, strict=True)
}


def step(roll: Roll, event: Event, now: float) -> Step:
    """Return the roll after `event`, and the actions that are due.

    Raises:
        IllegalEventError: the event cannot come in this state; the roll is as before.
    """
    cell = TRANSITIONS[(roll.state, type(event))]
    if isinstance(cell, Move):
        return cell.by(roll, event, now)
    if cell == ILLEGAL:
        raise IllegalEventError(f"{type(event).__name__} in state {roll.state.name}")
    return roll, ()
