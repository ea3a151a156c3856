"""What can happen to a roll, and what can have to be done about it: the vocabulary of `roll`'s table."""

from dataclasses import dataclass
from enum import Enum
from typing import Final


@dataclass(frozen=True, slots=True)
class Loaded:
    """The new mold is ready; a slot to try it in is to be found within `limit` seconds."""

    limit: float


@dataclass(frozen=True, slots=True)
class Unprotected:
    """No worker does its work: there is nothing that a canary could protect."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """This slot may be stopped now; it is to be ready within `limit` seconds of its new process' start."""

    slot: int
    limit: float


@dataclass(frozen=True, slots=True)
class CanaryReady:
    """The canary is ready, and has to stay so for `settle` seconds."""

    settle: float


@dataclass(frozen=True, slots=True)
class CanaryLost:
    """The canary is not ready any more, or starts again, and is not to blame; it has `limit` seconds once more."""

    limit: float


@dataclass(frozen=True, slots=True)
class CanaryRetired:
    """The herd got smaller and the canary's slot is gone; another one is to be found within `limit` seconds."""

    limit: float


@dataclass(frozen=True, slots=True)
class Failed:
    """The new mold, or the canary, cannot do its work."""

    reason: str


@dataclass(frozen=True, slots=True)
class Elapsed:
    """So many seconds more have passed in which it could be judged; by the settings of today `most` may be left."""

    seconds: float
    most: float = float("inf")


@dataclass(frozen=True, slots=True)
class AllReady:
    """Every slot runs the new generation and is ready."""


@dataclass(frozen=True, slots=True)
class Abandon:
    """Something else comes first: a newer generation, or a stop."""

    reason: str


Event = Loaded | Unprotected | Chosen | CanaryReady | CanaryLost | CanaryRetired | Failed | Elapsed | AllReady | Abandon
EVENTS: Final[tuple[type[Event], ...]] = (
    Loaded, Unprotected, Chosen, CanaryReady, CanaryLost, CanaryRetired, Failed, Elapsed, AllReady, Abandon,
)  # fmt: skip


class Action(Enum):
    """What the caller has to do, in order."""

    STOP_CANARY = "stop the canary's slot, to start it in the new generation"
    ACCEPT = "accept the generation"
    ROLL_BACK = "bring the canary's slot back to the old generation"
