"""STATE MACHINE of one child process: a worker's slot, or a service (mold, liaison, exporter, broker).

    DOWN -> SPAWNING -> BOOTING -> BARRIER -> JOINING -> READY -> DRAINING -> (ended)
                |          |                    |          |         |
                v          +------ hang --------+----------+---------+--> DUMPING -> TERMINATING -> KILLING -> (ended)
              LOST -> (ended)                                (ended) -> DOWN | BACKOFF | HELD | SPAWNING

Everything that happens to a child is an event here, time included; what to do about it is a tuple of actions that
the caller performs. `Ended` carries what `decide.restart` planned. Every (state, event) pair is in TRANSITIONS.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import Enum
from typing import Final

from .childevents import (
    EVENTS,
    Action,
    Announced,
    Booted,
    Ended,
    Event,
    GateOpened,
    Hang,
    Kill,
    MoldLost,
    Ready,
    Start,
    Stop,
    Timeout,
)  # fmt: skip
from .restart import Hold, StayDown

STACKS_SECONDS: Final = 0.3
"""Time a process gets to write its stacks before it is asked to end."""
TERM_SECONDS: Final = 1.0
"""Time a process that hangs gets to end by itself before it is killed: a call that was only slow may return."""


__all__ = [
    "ALIVE", "ENDING", "EVENTS", "GONE", "OPEN_ENDED", "TRANSITIONS", "Action", "Announced", "Booted", "Child", "Ended", "Event", "GateOpened",
    "Hang", "IllegalEventError", "Kill", "MoldLost", "Move", "Ready", "Start", "State", "Stop", "Timeout", "step",
]  # fmt: skip


class State(Enum):
    """Where a child is."""

    DOWN = "down"
    SPAWNING = "spawning"
    BOOTING = "booting"
    BARRIER = "barrier"
    JOINING = "joining"
    READY = "ready"
    DRAINING = "draining"
    DUMPING = "dumping"
    TERMINATING = "terminating"
    KILLING = "killing"
    LOST = "lost"
    BACKOFF = "backoff"
    HELD = "held"


ENDING: Final = frozenset({State.DRAINING, State.DUMPING, State.TERMINATING, State.KILLING, State.LOST})
"""States of a process that will be gone soon."""
ALIVE: Final = frozenset({State.BOOTING, State.BARRIER, State.JOINING, State.READY}) | (ENDING - {State.LOST})
"""States in which a process exists whose pidfd is held."""
OPEN_ENDED: Final = frozenset({State.BARRIER, State.JOINING, State.READY})
"""States of a process without a deadline: one that could not be told anything any more would never leave them."""
GONE: Final = frozenset({State.DOWN, State.BACKOFF, State.HELD})
"""States in which no process exists."""


@dataclass(frozen=True, slots=True)
class Child:
    """What is remembered of a child. Times are monotonic seconds; `deadline` is when `Timeout` is due."""

    state: State = State.DOWN
    since: float = 0.0
    deadline: float | None = None
    wanted: bool = False
    """Whether it comes back after its end."""
    reason: str = ""
    """Why it is being stopped, killed or held."""
    termed: bool = False
    """Whether its process has been sent TERM, which is done once."""


Step = tuple[Child, tuple[Action, ...]]


class IllegalEventError(Exception):
    """[BUG] an event came that cannot come in this state; nothing has changed."""


@dataclass(frozen=True, slots=True)
class Move:
    """One cell of the table: the states it may lead to, and how."""

    to: tuple[State, ...]
    by: Callable[[Child, Event, float], Step]


def _to(state: State, *actions: Action) -> Move:
    """Go to `state`, where no deadline runs."""
    return Move((state,), lambda child, _, now: (replace(child, state=state, since=now, deadline=None), actions))


def _spawn(_: Child, event: Event, now: float) -> Step:
    assert isinstance(event, Start | Timeout | Ended)
    fresh = Child(State.SPAWNING, since=now, deadline=now + event.timeout, wanted=True)
    return fresh, (Action.SPAWN,)


def _booting(child: Child, _: Event, now: float) -> Step:
    # The deadline stays: it covers the fork and the boot together.
    return replace(child, state=State.BOOTING, since=now), ()


def _drain(child: Child, event: Event, now: float) -> Step:
    assert isinstance(event, Stop)
    draining = replace(child, state=State.DRAINING, since=now, deadline=event.deadline, wanted=event.wanted)
    return replace(draining, reason=event.reason, termed=True), (Action.TERM,)


def _restop(child: Child, event: Event, _: float) -> Step:
    """A second stop takes the earlier deadline, sends no second TERM, and never brings back what shall stay down."""
    assert isinstance(event, Stop)
    deadline = event.deadline if child.deadline is None else min(child.deadline, event.deadline)
    return replace(child, deadline=deadline, wanted=child.wanted and event.wanted), ()


def _unwant(child: Child, event: Event, _: float) -> Step:
    """It is ending anyway."""
    assert isinstance(event, Stop | Kill)
    return replace(child, wanted=child.wanted and event.wanted), ()


def _kill(child: Child, event: Event, now: float) -> Step:
    late = f"not finished at the deadline ({child.reason})" if child.state is State.DRAINING else child.reason
    reason = event.reason if isinstance(event, Kill) else late
    wanted = event.wanted and child.wanted if isinstance(event, Kill) else child.wanted
    killing = replace(child, state=State.KILLING, since=now, deadline=None, reason=reason, wanted=wanted)
    return killing, (Action.KILL,)


def _dump(child: Child, event: Event, now: float) -> Step:
    reason = event.reason if isinstance(event, Hang) else "it did not boot in time"
    dumping = replace(child, state=State.DUMPING, since=now, deadline=now + STACKS_SECONDS, reason=reason)
    return dumping, (Action.DUMP,)


def _terminate(child: Child, event: Event, now: float) -> Step:
    """Its stacks are written: it may end by itself, unless it has been asked to before."""
    if child.termed:
        return _kill(child, event, now)
    terminating = replace(child, state=State.TERMINATING, since=now, deadline=now + TERM_SECONDS, termed=True)
    return terminating, (Action.TERM,)


def _lose(child: Child, event: Event, now: float) -> Step:
    wanted = event.wanted if isinstance(event, Stop | Kill) else child.wanted
    reason = event.reason if isinstance(event, Stop | Kill) else "its process was never announced"
    return replace(child, state=State.LOST, since=now, deadline=None, wanted=wanted, reason=reason), (Action.HANG_UP,)


def _end(child: Child, event: Event, now: float) -> Step:
    assert isinstance(event, Ended)
    plan = event.plan
    if isinstance(plan, StayDown):
        return Child(State.DOWN, since=now), ()
    if isinstance(plan, Hold):
        return Child(State.HELD, since=now, wanted=True, reason=plan.reason), ()
    if plan.at <= now:
        return _spawn(child, event, now)
    return Child(State.BACKOFF, since=now, deadline=plan.at, wanted=True), ()


IGNORE: Final = "ignore"
ILLEGAL: Final = "illegal"
Cell = Move | str

_SPAWN = Move((State.SPAWNING,), _spawn)
_DRAIN = Move((State.DRAINING,), _drain)
_KILL = Move((State.KILLING,), _kill)
_DUMP = Move((State.DUMPING,), _dump)
_TERMINATE = Move((State.TERMINATING, State.KILLING), _terminate)
_LOSE = Move((State.LOST,), _lose)
_END = Move((State.DOWN, State.HELD, State.BACKOFF, State.SPAWNING), _end)


def _rest(state: State) -> Move:
    """Remember that it shall stay down, where it is."""
    return Move((state,), _unwant)


# fmt: off
_ROWS: Final[dict[State, tuple[Cell, ...]]] = {
    #                 Start    Announced                        Booted              GateOpened                                Ready               Stop                                Kill                  Hang     MoldLost Ended    Timeout
    State.DOWN:      (_SPAWN,  ILLEGAL,                         ILLEGAL,            ILLEGAL,                                  ILLEGAL,            IGNORE,                             IGNORE,               ILLEGAL, IGNORE,  ILLEGAL, IGNORE),
    State.SPAWNING:  (IGNORE,  Move((State.BOOTING,), _booting), ILLEGAL,           ILLEGAL,                                  ILLEGAL,            _LOSE,                              _LOSE,                ILLEGAL, _LOSE,   _END,    _LOSE),
    State.BOOTING:   (IGNORE,  ILLEGAL,                         _to(State.BARRIER), ILLEGAL,                                  ILLEGAL,            _DRAIN,                             _KILL,                _DUMP,   IGNORE,  _END,    _DUMP),
    State.BARRIER:   (IGNORE,  ILLEGAL,                         IGNORE,             _to(State.JOINING, Action.OPEN_GATE),     ILLEGAL,            _DRAIN,                             _KILL,                _DUMP,   IGNORE,  _END,    IGNORE),
    State.JOINING:   (IGNORE,  ILLEGAL,                         IGNORE,             IGNORE,                                   _to(State.READY),   _DRAIN,                             _KILL,                _DUMP,   IGNORE,  _END,    IGNORE),
    State.READY:     (IGNORE,  ILLEGAL,                         IGNORE,             IGNORE,                                   IGNORE,             _DRAIN,                             _KILL,                _DUMP,   IGNORE,  _END,    IGNORE),
    State.DRAINING:  (IGNORE,  ILLEGAL,                         IGNORE,             IGNORE,                                   IGNORE,             Move((State.DRAINING,), _restop),   _KILL,                _DUMP,   IGNORE,  _END,    _KILL),
    State.DUMPING:   (IGNORE,  ILLEGAL,                         IGNORE,             IGNORE,                                   IGNORE,             _rest(State.DUMPING),               _KILL,                IGNORE,  IGNORE,  _END,    _TERMINATE),
    State.TERMINATING: (IGNORE, ILLEGAL,                        IGNORE,             IGNORE,                                   IGNORE,             _rest(State.TERMINATING),           _KILL,                IGNORE,  IGNORE,  _END,    _KILL),
    State.KILLING:   (IGNORE,  ILLEGAL,                         IGNORE,             IGNORE,                                   IGNORE,             _rest(State.KILLING),               _rest(State.KILLING), IGNORE,  IGNORE,  _END,    IGNORE),
    State.LOST:      (IGNORE,  IGNORE,                          IGNORE,             IGNORE,                                   IGNORE,             _rest(State.LOST),                  _rest(State.LOST),    IGNORE,  IGNORE,  _END,    IGNORE),
    State.BACKOFF:   (_SPAWN,  ILLEGAL,                         ILLEGAL,            ILLEGAL,                                  ILLEGAL,            _to(State.DOWN),                    _to(State.DOWN),      ILLEGAL, IGNORE,  ILLEGAL, _SPAWN),
    State.HELD:      (_SPAWN,  ILLEGAL,                         ILLEGAL,            ILLEGAL,                                  ILLEGAL,            _to(State.DOWN),                    _to(State.DOWN),      ILLEGAL, IGNORE,  ILLEGAL, IGNORE),
}
# fmt: on
TRANSITIONS: Final[dict[tuple[State, type[Event]], Cell]] = {
    (state, event): cell for state, row in _ROWS.items() for event, cell in zip(EVENTS, row, strict=True)
}


def step(child: Child, event: Event, now: float) -> Step:
    """Return the child after `event`, and the actions that are due.

    Raises:
        IllegalEventError: the event cannot come in this state; the child is as before.
    """
    cell = TRANSITIONS[(child.state, type(event))]
    if isinstance(cell, Move):
        return cell.by(child, event, now)
    if cell == ILLEGAL:
        raise IllegalEventError(f"{type(event).__name__} in state {child.state.name}")
    return child, ()
