"""The services of a herd: the embedded broker first if there is one, then the liaison, the exporter if asked for."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..worker import clock, events, log
from ..worker.channel import Message, MessageTooLargeError
from ..worker.spec import LogSpec
from .decide import child as machine
from .decide.cause import Cause
from .decide.child import GONE, State
from .decide.restart import RestartPolicy
from .nursery import Nursery
from .process.handle import Handle
from .services import START_SECONDS, Service, entry_point

ENTRIES = {
    "liaison": "kherd.supervisor.children.liaison.main",
    "exporter": "kherd.supervisor.children.exporter.main",
    "broker": "kherd.supervisor.children.broker.main",
}


@dataclass(slots=True)
class Staff:
    """`specs` makes what a service is told, anew at each of its starts; `hear` gets what services say, by role."""

    nursery: Nursery
    app: str
    log_spec: LogSpec
    policy: RestartPolicy
    specs: dict[str, Callable[[], Any]]
    hear: dict[str, Callable[[Message], None]]
    ended: dict[str, Callable[[Cause], None]]
    handles: dict[str, Handle] = field(default_factory=dict)
    services: dict[str, Service] = field(default_factory=dict)
    bootstrap: str | None = None

    def add(self, role: str, ready: str | None) -> Handle:
        """Take a service in; it is down until `start`."""
        service = Service(
            nursery=self.nursery,
            role=role,
            entry=lambda: entry_point(ENTRIES[role], self.specs[role]()),
            app=self.app,
            log_spec=self.log_spec,
            ready=ready,
            hear=lambda _, message: self.hear[role](message),
            ended=lambda _, cause: self.ended[role](cause),
            policy=self.policy,
        )
        handle = self.handles[role] = Handle(role, START_SECONDS)
        self.services[role] = service
        self.nursery.add(handle, service)
        return handle

    def set_log(self, log_spec: LogSpec) -> None:
        """Write lines like this from now on, and have services do so from their next start on."""
        if log_spec == self.log_spec:
            return
        log.configure(log_spec, log.Identity(self.app, "supervisor"))
        self.log_spec = log_spec
        for service in self.services.values():
            service.log_spec = log_spec

    def start(self, role: str) -> None:
        """Start it, unless it runs."""
        handle = self.handles[role]
        if handle.child.state is State.DOWN:
            self.nursery.feed(handle, machine.Start(handle.timeout))

    def restart(self, role: str, seconds: float, reason: str) -> None:
        """Stop it and have it come back with the newest settings."""
        handle = self.handles[role]
        if handle.child.state in GONE:
            self.nursery.feed(handle, machine.Start(handle.timeout))
        else:
            stop = machine.Stop(clock.monotonic() + seconds, wanted=True, reason=reason)
            self.nursery.feed(handle, stop)

    def stop(self, role: str, deadline: float) -> None:
        """End it by `deadline`."""
        handle = self.handles.get(role)
        if handle is not None:
            self.nursery.feed(handle, machine.Stop(deadline, wanted=False, reason="stopping"))

    def say(self, role: str, message: Message) -> None:
        """Send it a message, if it runs."""
        handle = self.handles.get(role)
        if handle is not None:
            self.nursery.say(handle, message)

    def tell_exporter(self, status: dict[str, Any]) -> None:
        """Send the exporter a snapshot."""
        try:
            self.say("exporter", {"type": "snapshot", "status": status})
        except MessageTooLargeError:  # thousands of topics, or of troubled workers: what names each of them is left out
            short = {**status, "lag": {**status["lag"], "topics": {}}, "problems": status["problems"][:10]}
            self.say("exporter", {"type": "snapshot", "status": short})

    def document(self) -> dict[str, Any]:
        """Return the `services` part of the status document."""
        found: dict[str, Any] = {
            role: {"state": handle.child.state.value, "pid": handle.pid, "restarts": handle.restarts}
            for role, handle in self.handles.items()
            if handle.child.state is not State.DOWN
        }
        if self.bootstrap is not None and "broker" in found:
            found["broker"]["bootstrap"] = self.bootstrap
        return found


def publish_bootstrap(path: Path, bootstrap: str) -> None:
    """Write the embedded broker's address where feeders look for it, in one step; without room the log has it."""
    new = path.with_suffix(".new")
    log.emit(events.BROKER_STARTED, bootstrap=bootstrap)
    try:
        new.write_text(bootstrap + "\n")
        new.replace(path)
    except OSError as error:
        log.emit(events.BOOTSTRAP_UNWRITTEN, path=str(path), reason=error.strerror)
