"""A child as the supervisor holds it: its state machine, and the process behind it while there is one."""

from dataclasses import dataclass, field

from ...worker.channel import Channel
from ..decide.cause import Cause
from ..decide.child import Child


@dataclass(slots=True)
class Process:
    """One process, from the request for it until it is reaped. `pid` and `pidfd` are set once it is announced."""

    channel: Channel
    incarnation: int
    pid: int | None = None
    pidfd: int | None = None
    asked: bool = False
    killed_for: str | None = None
    hang: str | None = None
    """What had taken too long, if anything had."""
    memory: bool = False
    """Whether it was over memory_hard."""
    signal: str | None = None
    exit_code: int | None = None
    """How it ended, one of the two."""
    peak_rss: int | None = None
    """The most memory it has had, in bytes."""
    said: str | None = None
    """Its own last words."""


@dataclass(frozen=True, slots=True)
class Death:
    """The last end of a child; `at` is seconds since the epoch, `wanted` if we had asked for it."""

    at: float
    cause: Cause
    wanted: bool


@dataclass(slots=True)
class Handle:
    """One child. `timeout` is how long a start of it may take, in seconds."""

    name: str
    timeout: float
    child: Child = field(default_factory=Child)
    process: Process | None = None
    incarnation: int = 0
    ready_at: float | None = None
    failures: int = 0
    restarts: int = 0
    last_death: Death | None = None

    @property
    def pid(self) -> int | None:
        """The pid of its process, if one is known."""
        return self.process.pid if self.process else None
