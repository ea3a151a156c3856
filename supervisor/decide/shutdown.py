"""STATE MACHINE of the whole daemon.

    RUNNING <-> QUIET        USR2
       |          |
       +----+-----+--> STOPPING --> KILLING --> STOPPED
            |             (workers drain)  (now)
            +--> KILLING

Forward only, but for QUIET. One deadline covers all of a stop.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import Enum
from typing import Final

from ...worker.exits import Exit


class State(Enum):
    """What the daemon is doing."""

    RUNNING = "running"
    QUIET = "quiet"
    STOPPING = "stopping"
    KILLING = "killing"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class Daemon:
    """What is remembered: `deadline` (monotonic seconds) and `code` count once a stop has begun."""

    state: State = State.RUNNING
    deadline: float | None = None
    code: Exit = Exit.DONE
    reason: str = ""


@dataclass(frozen=True, slots=True)
class StopAsked:
    """Finish within `seconds`. A second one means: now."""

    seconds: float
    reason: str
    code: Exit = Exit.DONE


@dataclass(frozen=True, slots=True)
class StopNow:
    """End everything at once."""

    reason: str


@dataclass(frozen=True, slots=True)
class QuietToggled:
    """USR2."""


@dataclass(frozen=True, slots=True)
class DeadlinePassed:
    """The one deadline."""


@dataclass(frozen=True, slots=True)
class AllDown:
    """No child is left."""


Event = StopAsked | StopNow | QuietToggled | DeadlinePassed | AllDown
EVENTS: Final[tuple[type[Event], ...]] = (StopAsked, StopNow, QuietToggled, DeadlinePassed, AllDown)


class Action(Enum):
    """What the caller has to do."""

    DRAIN_ALL = "drain all"
    KILL_ALL = "kill all"
    QUIET_ON = "quiet on"
    QUIET_OFF = "quiet off"


Step = tuple[Daemon, tuple[Action, ...]]


@dataclass(frozen=True, slots=True)
class Move:
    """One cell of the table: the states it may lead to, and how."""

    to: tuple[State, ...]
    by: Callable[[Daemon, Event, float], Step]


def _stop(_: Daemon, event: Event, now: float) -> Step:
    assert isinstance(event, StopAsked)
    stopping = Daemon(State.STOPPING, now + event.seconds, event.code, event.reason)
    return stopping, (Action.DRAIN_ALL,)


def _now(daemon: Daemon, event: Event, _: float) -> Step:
    reason = event.reason if isinstance(event, StopAsked | StopNow) else daemon.reason
    late = isinstance(event, DeadlinePassed)
    code = Exit.KILLED_AT_DEADLINE if late and daemon.code is Exit.DONE else daemon.code
    return Daemon(State.KILLING, daemon.deadline, code, reason), (Action.KILL_ALL,)


def _stopped(daemon: Daemon, _: Event, __: float) -> Step:
    return replace(daemon, state=State.STOPPED, deadline=None), ()


def _quiet(daemon: Daemon, _: Event, __: float) -> Step:
    return replace(daemon, state=State.QUIET), (Action.QUIET_ON,)


def _resume(daemon: Daemon, _: Event, __: float) -> Step:
    return replace(daemon, state=State.RUNNING), (Action.QUIET_OFF,)


IGNORE: Final = "ignore"
Cell = Move | str
_STOP = Move((State.STOPPING,), _stop)
_NOW = Move((State.KILLING,), _now)
_STOPPED = Move((State.STOPPED,), _stopped)

# fmt: off
_ROWS: Final[dict[State, tuple[Cell, ...]]] = {
    #                StopAsked StopNow QuietToggled                        DeadlinePassed AllDown
    State.RUNNING:  (_STOP,    _NOW,   Move((State.QUIET,), _quiet),       IGNORE,        IGNORE),
    State.QUIET:    (_STOP,    _NOW,   Move((State.RUNNING,), _resume),    IGNORE,        IGNORE),
    State.STOPPING: (_NOW,     _NOW,   IGNORE,                             _NOW,          _STOPPED),
    State.KILLING:  (IGNORE,   IGNORE, IGNORE,                             IGNORE,        _STOPPED),
    State.STOPPED:  (IGNORE,   IGNORE, IGNORE,                             IGNORE,        IGNORE),
}
# fmt: on
TRANSITIONS: Final[dict[tuple[State, type[Event]], Cell]] = {
    (state, event): cell for state, row in _ROWS.items() for event, cell in zip(EVENTS, row, strict=True)
}


def step(daemon: Daemon, event: Event, now: float) -> Step:
    """Return the daemon after `event`, and the actions that are due."""
    cell = TRANSITIONS[(daemon.state, type(event))]
    return cell.by(daemon, event, now) if isinstance(cell, Move) else (daemon, ())
