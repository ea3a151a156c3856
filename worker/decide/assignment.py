"""STATE MACHINE of one partition as one worker sees it.

    UNASSIGNED --Assigned--> ASSIGNED --Revoked--> REVOKING --Committed--> UNASSIGNED
                                 +------------------- Lost -------------------^

An epoch is one stay in ASSIGNED: only the partition's own assign, revoke and lost change it. What was begun in one
epoch never counts in another. Every (state, event) pair is in TRANSITIONS.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Final


class State(Enum):
    """Whose the partition is."""

    UNASSIGNED = "unassigned"
    ASSIGNED = "assigned"
    REVOKING = "revoking"
    """It is ours until the callback returns: what is done is being committed, nothing more is done."""


@dataclass(frozen=True, slots=True)
class Assigned:
    """The group gave it to us."""


@dataclass(frozen=True, slots=True)
class Revoked:
    """The group asks for it back."""


@dataclass(frozen=True, slots=True)
class Committed:
    """The commit for its revocation has been answered, one way or the other."""


@dataclass(frozen=True, slots=True)
class Lost:
    """It may have another owner already."""


Event = Assigned | Revoked | Committed | Lost


class Action(Enum):
    """What the caller does."""

    OPEN = "open"
    """Begin a new epoch: no records, no offsets, a fresh nonce."""
    COMMIT = "commit"
    """Commit what is done of it, now."""
    FORGET = "forget"
    """Drop its epoch and everything begun in it."""


@dataclass(frozen=True, slots=True)
class Step:
    """The state that follows, and what to do, in order."""

    state: State
    actions: tuple[Action, ...] = ()


ILLEGAL: Final = None
"""The caller has a fault: the pair cannot occur."""

_U, _A, _R = State.UNASSIGNED, State.ASSIGNED, State.REVOKING

TRANSITIONS: Final[Mapping[tuple[State, type], Step | None]] = {
    (_U, Assigned): Step(_A, (Action.OPEN,)),
    (_U, Revoked): Step(_U),  # of an assignment that was lost before
    (_U, Committed): ILLEGAL,
    (_U, Lost): Step(_U),
    (_A, Assigned): Step(_A, (Action.FORGET, Action.OPEN)),  # the client starts again from the committed offset
    (_A, Revoked): Step(_R, (Action.COMMIT,)),
    (_A, Committed): ILLEGAL,
    (_A, Lost): Step(_U, (Action.FORGET,)),
    (_R, Assigned): Step(_A, (Action.FORGET, Action.OPEN)),
    (_R, Revoked): Step(_R),
    (_R, Committed): Step(_U, (Action.FORGET,)),
    (_R, Lost): Step(_U, (Action.FORGET,)),
}


class IllegalEventError(Exception):
    """An event came in a state in which it cannot: a fault of the caller."""


def step(state: State, event: Event) -> Step:
    """Return what follows `event` in `state`.

    Raises:
        IllegalEventError: the table has nothing for the pair.
    """
    found = TRANSITIONS[(state, type(event))]
    if found is ILLEGAL:
        raise IllegalEventError(f"{type(event).__name__} in {state.name}")
    return found
