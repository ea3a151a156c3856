"""STATE MACHINE of what systemd has been told (sd_notify(3)).

    STARTING --> READY <--> RELOADING
        |          |            |
        +----------+------------+--> STOPPING

READY is said once the quorum has booted, never by a reload that comes earlier; STOPPING is final. Beside it: when
systemd is asked for patience, and when it is told that the loop goes round.
"""

from dataclasses import dataclass
from enum import Enum
from typing import Final


class State(Enum):
    """What systemd believes of us."""

    STARTING = "starting"
    READY = "ready"
    RELOADING = "reloading"
    STOPPING = "stopping"


@dataclass(frozen=True, slots=True)
class QuorumBooted:
    """Enough workers have loaded the handler."""


@dataclass(frozen=True, slots=True)
class ReloadBegun:
    """The configuration is about to be read again."""


@dataclass(frozen=True, slots=True)
class ReloadEnded:
    """The new configuration is in force, or was refused and the old one still is."""


@dataclass(frozen=True, slots=True)
class StopBegun:
    """The daemon is going down, for whatever reason."""


Event = QuorumBooted | ReloadBegun | ReloadEnded | StopBegun
EVENTS: Final[tuple[type[Event], ...]] = (QuorumBooted, ReloadBegun, ReloadEnded, StopBegun)


class Word(Enum):
    """What is to be said."""

    READY = "READY=1"
    RELOADING = "RELOADING=1"
    STOPPING = "STOPPING=1"


IGNORE: Final = "ignore"
Cell = tuple[State, Word] | str
_READY: Final = (State.READY, Word.READY)
_RELOAD: Final = (State.RELOADING, Word.RELOADING)
_STOP: Final = (State.STOPPING, Word.STOPPING)

# fmt: off
_ROWS: Final[dict[State, tuple[Cell, ...]]] = {
    #                 QuorumBooted ReloadBegun ReloadEnded StopBegun
    State.STARTING:  (_READY,      IGNORE,     IGNORE,     _STOP),
    State.READY:     (IGNORE,      _RELOAD,    IGNORE,     _STOP),
    State.RELOADING: (IGNORE,      _RELOAD,    _READY,     _STOP),
    State.STOPPING:  (IGNORE,      IGNORE,     IGNORE,     IGNORE),
}
# fmt: on
TRANSITIONS: Final[dict[tuple[State, type[Event]], Cell]] = {
    (state, event): cell for state, row in _ROWS.items() for event, cell in zip(EVENTS, row, strict=True)
}


def step(state: State, event: Event) -> tuple[State, Word | None]:
    """Return the state after `event`, and what is to be said."""
    cell = TRANSITIONS[(state, type(event))]
    return cell if isinstance(cell, tuple) else (state, None)


def quorum_booted(booted: int, wanted: int, quorum: int) -> bool:
    """Whether enough workers have loaded the handler; a herd made smaller than its quorum needs no more than it has."""
    return booted >= min(quorum, wanted)


@dataclass(frozen=True, slots=True)
class Patience:
    """How far a start or stop had come when systemd was last asked for more time; None: not asked yet."""

    furthest: int | None = None


def ask_patience(patience: Patience, progress: int, seconds: float | None) -> tuple[Patience, float | None]:
    """Return what to remember, and the seconds from now to ask for (EXTEND_TIMEOUT_USEC), None for none.

    `progress` only counts where it has never been before, so that coming and going earns nothing; `seconds` is what
    the next piece of it may take, None or negative when no time is left to give.
    """
    if patience.furthest is not None and progress <= patience.furthest:
        return patience, None
    return Patience(progress), seconds if seconds is not None and seconds > 0 else None


def stop_seconds(now: float, deadline: float | None, piece: float, margin: float) -> float | None:
    """Return the seconds a stop may ask for: what one `piece` of work takes, never past its deadline and a margin."""
    return None if deadline is None else min(piece, deadline + margin - now)


def next_ping(pinged: float | None, now: float, timeout: float) -> tuple[bool, float]:
    """Return whether to say WATCHDOG=1 in this pass, and when a pass has to say it next (monotonic seconds).

    Said at half the timeout at the latest, as sd_watchdog_enabled(3) advises; from a quarter on a pass that happens
    anyway says it, so that long timeouts cost no wake-up of their own.
    """
    due = pinged is None or now - pinged >= timeout / 4
    last = now if due or pinged is None else pinged
    return due, last + timeout / 2
