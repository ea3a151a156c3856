"""What can happen to a child, and what can have to be done about it: the vocabulary of `child`'s table."""

from dataclasses import dataclass
from enum import Enum
from typing import Final

from .restart import Plan


@dataclass(frozen=True, slots=True)
class Start:
    """It shall run; `timeout` is how long it may take until it has booted."""

    timeout: float


@dataclass(frozen=True, slots=True)
class Announced:
    """Its process exists and its pidfd is held."""


@dataclass(frozen=True, slots=True)
class Booted:
    """It has loaded what it needs and waits at the barrier."""


@dataclass(frozen=True, slots=True)
class GateOpened:
    """It may pass the barrier."""


@dataclass(frozen=True, slots=True)
class Ready:
    """It does its work."""


@dataclass(frozen=True, slots=True)
class Stop:
    """It shall finish by `deadline`, and come back afterwards if `wanted`."""

    deadline: float
    wanted: bool
    reason: str


@dataclass(frozen=True, slots=True)
class Kill:
    """It shall end now."""

    reason: str
    wanted: bool = False


@dataclass(frozen=True, slots=True)
class Hang:
    """It has been in one place for too long."""

    reason: str


@dataclass(frozen=True, slots=True)
class MoldLost:
    """Who should have forked it is gone, so its pid will never be announced."""


@dataclass(frozen=True, slots=True)
class Ended:
    """No process of it is left; `plan` says what follows."""

    plan: Plan
    timeout: float


@dataclass(frozen=True, slots=True)
class Timeout:
    """Its deadline has passed."""

    timeout: float


Event = Start | Announced | Booted | GateOpened | Ready | Stop | Kill | Hang | MoldLost | Ended | Timeout
EVENTS: Final[tuple[type[Event], ...]] = (
    Start, Announced, Booted, GateOpened, Ready, Stop, Kill, Hang, MoldLost, Ended, Timeout,
)  # fmt: skip


class Action(Enum):
    """What the caller has to do, in order."""

    SPAWN = "spawn"
    OPEN_GATE = "open gate"
    TERM = "term"
    DUMP = "dump stacks"
    KILL = "kill"
    HANG_UP = "hang up"
