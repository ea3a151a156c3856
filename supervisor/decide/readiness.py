"""STATE MACHINE of what systemd has been told (sd_notify(3)); beside it, when to ask for patience and to ping.

    STARTING --> READY <--> RELOADING
        |          |            |
        +----------+------------+--> STOPPING

READY is said once the quorum has booted, never by a reload that comes earlier; STOPPING is final.
"""

from dataclasses import dataclass
from enum import Enum
from typing import Final


class Phase(Enum):
    """What systemd believes of us."""

    STARTING = "starting"
    READY = "ready"
    RELOADING = "reloading"
    STOPPING = "stopping"


class Event(Enum):
    """What happened. A refused reload has ended too: the configuration in force is the one before."""

    QUORUM_BOOTED = "quorum booted"
    RELOAD_BEGUN = "reload begun"
    RELOAD_ENDED = "reload ended"
    STOP_BEGUN = "stop begun"


class Word(Enum):
    """What is to be said."""

    READY = "READY=1"
    RELOADING = "RELOADING=1"
    STOPPING = "STOPPING=1"


Step = tuple[Phase, Word | None]
_READY: Final = (Phase.READY, Word.READY)
_RELOAD: Final = (Phase.RELOADING, Word.RELOADING)
_STOP: Final = (Phase.STOPPING, Word.STOPPING)


def _stay(phase: Phase) -> Step:
    return phase, None


# fmt: off
_ROWS: Final[dict[Phase, tuple[Step, ...]]] = {
    #                 QUORUM_BOOTED            RELOAD_BEGUN            RELOAD_ENDED            STOP_BEGUN
    Phase.STARTING:  (_READY,                  _stay(Phase.STARTING),  _stay(Phase.STARTING),  _STOP),
    Phase.READY:     (_stay(Phase.READY),      _RELOAD,                _stay(Phase.READY),     _STOP),
    Phase.RELOADING: (_stay(Phase.RELOADING),  _RELOAD,                _READY,                 _STOP),
    Phase.STOPPING:  (_stay(Phase.STOPPING),   _stay(Phase.STOPPING),  _stay(Phase.STOPPING),  _stay(Phase.STOPPING)),
}
# fmt: on
TRANSITIONS: Final[dict[tuple[Phase, Event], Step]] = {
    (phase, event): cell for phase, row in _ROWS.items() for event, cell in zip(Event, row, strict=True)
}


def step(phase: Phase, event: Event) -> Step:
    """Return the phase after `event`, and what is to be said."""
    return TRANSITIONS[(phase, event)]


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
