"""The service children: each a fork of the supervisor that imports its own code only after the fork."""

import importlib
import signal
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from ..worker import log
from ..worker.channel import Channel, Message
from ..worker.spec import LogSpec
from .decide import child as machine
from .decide.cause import Cause
from .decide.restart import Plan, RestartPolicy
from .nursery import Nursery
from .process.handle import Handle, Process
from .process.spawn import Entry, fork_service

START_SECONDS: Final = 30.0


def entry_point(module: str, spec: Any) -> Entry:
    """Return an entry that imports `module` of this package in the child and calls its `run(spec, channel)`."""

    def enter(channel: Channel) -> int:
        run: Callable[[Any, Channel], int] = importlib.import_module(module).run
        return run(spec, channel)

    return enter


@dataclass(slots=True)
class Service:
    """A `Kind` for one service.

    `entry` is asked for anew at each start, so that a restart uses the newest settings. `ready` is the message that
    says it does its work (None: it needs no time). `hear` gets every message, `ended` every end.
    """

    nursery: Nursery
    role: str
    entry: Callable[[], Entry]
    app: str
    log_spec: LogSpec
    ready: str | None = None
    hear: Callable[[Handle, Message], None] = lambda _, __: None
    ended: Callable[[Handle, Cause], None] = lambda _, __: None
    policy: RestartPolicy = field(default_factory=RestartPolicy)
    recent: tuple[float, ...] = ()
    generation: int | None = None

    def spawn(self, handle: Handle) -> None:
        """Fork it."""
        identity = log.Identity(self.app, self.role, None, self.generation)
        try:
            spawned = fork_service(self.entry(), self.log_spec, identity)
        except OSError as error:
            self.nursery.fail(handle, f"fork: {error.strerror}")
            return
        process = Process(spawned.channel, handle.incarnation, spawned.pid, spawned.pidfd)
        self.nursery.attach(handle, process)
        self.nursery.adopt(handle, process)
        if self.ready is None:
            self.is_ready(handle)

    def is_ready(self, handle: Handle) -> None:
        """It does its work: a service has no barrier."""
        for event in (machine.Booted(), machine.GateOpened(), machine.Ready()):
            self.nursery.feed(handle, event)

    def open_gate(self, handle: Handle) -> None:
        """Nothing waits there."""

    def stop(self, handle: Handle) -> None:
        """TERM is all that every service knows, and a mold takes nothing but orders to fork."""
        self.nursery.send_signal(handle, signal.SIGTERM)

    def message(self, handle: Handle, message: Message) -> None:
        """Pass it on; the first of type `ready` ends the start."""
        if message.get("type") == self.ready and handle.child.state is machine.State.BOOTING:
            self.is_ready(handle)
        self.hear(handle, message)

    def hung_up(self, handle: Handle) -> None:
        """A service is announced the moment it is forked."""

    def dump(self, handle: Handle, process: Process) -> None:
        """A service has no stacks to show."""

    def blames(self, handle: Handle, process: Process, cause: Cause) -> bool:
        """Its end is its own fault."""
        del handle, process, cause
        return False

    def gone(self, handle: Handle, process: Process, cause: Cause, plan: Plan) -> None:
        """Tell its owner."""
        del process, plan
        self.ended(handle, cause)

    def degraded(self, handle: Handle) -> None:
        """It is tried again, ever more slowly; the herd goes on without it."""
