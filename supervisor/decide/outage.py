"""STATE MACHINE of one kind of failure that may be an outage.

    WATCHED --Spread--> ASSUMED <--Due, FailedAlike, Unanswered--> PROBING
       ^                   |                                          |
       +-------------------+----- Recovered, Doubted, Deserted -------+

While it is assumed, records that fail so wait, no attempt is counted and none is put aside; one at a time is tried, of
the whole herd, further and further apart. Every (state, event) pair is in TRANSITIONS.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import Enum
from typing import Final

LARGEST_EXPONENT: Final = 60


class State(Enum):
    """What it is taken for."""

    WATCHED = "watched"
    """Failures of single records, each judged by itself."""
    ASSUMED = "assumed"
    """An outage: who failed so waits."""
    PROBING = "probing"
    """One of those who wait is being tried."""


@dataclass(frozen=True, slots=True)
class Policy:
    """How far apart probes are: from `first` on, doubled each time, up to `longest`; seconds."""

    first: float
    longest: float


@dataclass(frozen=True, slots=True)
class Outage:
    """What is remembered: since when it is assumed and when it is tried next, in monotonic seconds."""

    state: State = State.WATCHED
    since: float = 0.0
    due: float = 0.0
    probes: int = 0
    """How many probes have failed alike."""


@dataclass(frozen=True, slots=True)
class Spread:
    """The evidence says that it is an outage."""


@dataclass(frozen=True, slots=True)
class Doubted:
    """The evidence says no more so: too much goes through beside it."""


@dataclass(frozen=True, slots=True)
class Due:
    """It is time for a probe, and there is a record for it."""


@dataclass(frozen=True, slots=True)
class FailedAlike:
    """The probe failed as before."""


@dataclass(frozen=True, slots=True)
class Unanswered:
    """The probe said nothing: it failed in another way, or its worker is gone, or may begin nothing now."""


@dataclass(frozen=True, slots=True)
class Recovered:
    """A record that had failed so was handled."""


@dataclass(frozen=True, slots=True)
class Deserted:
    """No record waits for its end any more."""


Event = Spread | Doubted | Due | FailedAlike | Unanswered | Recovered | Deserted


class Action(Enum):
    """What the caller does."""

    ASSUME = "assume"
    """Tell everybody that it is one."""
    PROBE = "probe"
    """Have one of those who wait tried."""
    RELEASE = "release"
    """Tell everybody that it is none: all who wait are tried again."""
    FORGET = "forget"
    """Begin anew with the evidence: it was of something that is over."""


@dataclass(frozen=True, slots=True)
class Step:
    """The state that follows, and what to do, in order."""

    state: State
    actions: tuple[Action, ...] = ()


IGNORE: Final = "ignore"
ILLEGAL: Final = None
"""The caller has a fault: the pair cannot occur."""

_W, _A, _P = State.WATCHED, State.ASSUMED, State.PROBING
_OVER: Final = Step(_W, (Action.FORGET, Action.RELEASE))

TRANSITIONS: Final[Mapping[tuple[State, type], Step | str | None]] = {
    (_W, Spread): Step(_A, (Action.ASSUME,)),
    (_W, Doubted): IGNORE,
    (_W, Due): ILLEGAL,
    (_W, FailedAlike): IGNORE,  # of a probe that was under way when it ended
    (_W, Unanswered): IGNORE,
    (_W, Recovered): Step(_W, (Action.FORGET,)),
    (_W, Deserted): IGNORE,
    (_A, Spread): IGNORE,
    (_A, Doubted): Step(_W, (Action.RELEASE,)),
    (_A, Due): Step(_P, (Action.PROBE,)),
    (_A, FailedAlike): IGNORE,  # of a probe that had been given up
    (_A, Unanswered): IGNORE,
    (_A, Recovered): _OVER,
    (_A, Deserted): _OVER,
    (_P, Spread): IGNORE,
    (_P, Doubted): Step(_W, (Action.RELEASE,)),
    (_P, Due): ILLEGAL,
    (_P, FailedAlike): Step(_A),
    (_P, Unanswered): Step(_A),
    (_P, Recovered): _OVER,
    (_P, Deserted): _OVER,
}


class IllegalEventError(Exception):
    """An event came in a state in which it cannot: a fault of the caller."""


def step(policy: Policy, outage: Outage, event: Event, now: float) -> tuple[Outage, tuple[Action, ...]]:
    """Return what follows `event` at `now` (monotonic seconds), and what to do.

    Raises:
        IllegalEventError: the table has nothing for the pair.
    """
    cell = TRANSITIONS[(outage.state, type(event))]
    if cell is ILLEGAL:
        raise IllegalEventError(f"{type(event).__name__} in {outage.state.name}")
    if not isinstance(cell, Step):
        return outage, ()
    if cell.state is State.WATCHED:
        return Outage(), cell.actions
    if isinstance(event, Spread):
        return Outage(State.ASSUMED, since=now, due=now + wait(policy, 0)), cell.actions
    if isinstance(event, FailedAlike):
        probes = outage.probes + 1
        return replace(outage, state=cell.state, probes=probes, due=now + wait(policy, probes)), cell.actions
    due = now + policy.first if isinstance(event, Unanswered) else outage.due
    return replace(outage, state=cell.state, due=due), cell.actions


def wait(policy: Policy, probes: int) -> float:
    """Return for how long to wait after so many probes that failed alike."""
    return min(policy.longest, policy.first * 2.0 ** min(probes, LARGEST_EXPONENT))
