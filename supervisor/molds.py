"""The supervisor's side of the molds: one per generation, asked to fork workers, replaced when it dies."""

import os
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from ..worker import events, log
from ..worker.channel import Message
from ..worker.spec import SlotIdentity, WorkerSpec
from .decide import child as machine
from .decide.cause import Cause
from .decide.child import State
from .decide.restart import RestartPolicy
from .nursery import Nursery
from .process.handle import Handle
from .process.spawn import Entry
from .services import Service, entry_point


@dataclass(slots=True)
class Request:
    """One worker to fork: the descriptors are its end of the channel, its board and its stacks file."""

    handle: Handle
    identity: SlotIdentity
    fds: tuple[int, ...]

    @property
    def is_of_now(self) -> bool:
        """Whether its slot has not gone on to another process since: one killed at once may be answered for later."""
        return self.handle.incarnation == self.identity.incarnation

    def close(self) -> None:
        """Give our copies of the descriptors back: from then on end of file tells that the worker is gone."""
        for fd in self.fds:
            os.close(fd)
        self.fds = ()


@dataclass(slots=True)
class Mold:
    """One generation's code. `waiting` requests are sent when it is ready, `asked` ones are under way."""

    spec: WorkerSpec
    preload: bool
    handle: Handle = field(init=False)
    ready: bool = False
    trouble: str | None = None
    """Why the handler could not be loaded here."""
    waiting: list[Request] = field(default_factory=list)
    asked: dict[tuple[int, int], Request] = field(default_factory=dict)


class Molds:
    """All generations that still have workers, or will have."""

    def __init__(self, nursery: Nursery, lost: Callable[[Handle], None]) -> None:
        self._nursery = nursery
        self._lost = lost
        self._molds: dict[int, Mold] = {}
        self._leaving: list[Handle] = []

    def add(self, spec: WorkerSpec, timeout: float, policy: RestartPolicy) -> None:
        """Start the mold of a new generation; it imports the handler, so it may take as long as a worker."""
        mold = Mold(spec, spec.preload)
        self._molds[spec.generation] = mold
        service = Service(
            nursery=self._nursery,
            role=f"mold {spec.generation}",
            entry=lambda: self._entry(mold),
            app=spec.app,
            log_spec=spec.log,
            ready="ready",
            hear=lambda _, message: self._hear(mold, message),
            ended=lambda _, cause: self._ended(mold, cause),
            generation=spec.generation,
            policy=policy,
        )
        mold.handle = Handle(service.role, timeout)
        self._nursery.add(mold.handle, service)
        self._nursery.feed(mold.handle, machine.Start(mold.handle.timeout))

    def document(self, generation: int) -> dict[str, Any]:
        """Return a generation's mold for the `services` part of the status document."""
        mold = self._molds.get(generation)
        if mold is None:
            return {}
        handle = mold.handle
        return {"mold": {"state": handle.child.state.value, "pid": handle.pid, "restarts": handle.restarts}}

    def spec(self, generation: int) -> WorkerSpec:
        """Return what the workers of a generation are told."""
        return self._molds[generation].spec

    def loaded(self, generation: int) -> bool:
        """Whether a generation's mold can fork workers."""
        return self._molds[generation].ready

    def trouble(self, generation: int) -> str | None:
        """Return why a generation's mold could not load the handler, or died; None if nothing is wrong."""
        mold = self._molds[generation]
        death = mold.handle.last_death
        if mold.trouble is not None or death is None or death.wanted:
            return mold.trouble
        return f"its mold died: {death.cause.text}"

    def retire(self, keep: set[int], deadline: float) -> None:
        """End the molds of generations that have no worker left and get none; one that still loads is killed."""
        for generation in [one for one in self._molds if one not in keep]:
            mold = self._molds.pop(generation)
            self._leaving.append(mold.handle)
            reason = "its generation is over"
            stop = machine.Stop(deadline, wanted=False, reason=reason) if mold.ready else machine.Kill(reason)
            self._nursery.feed(mold.handle, stop)
        for handle in [one for one in self._leaving if one.child.state is State.DOWN]:
            self._leaving.remove(handle)
            self._nursery.remove(handle)

    def request(self, request: Request, generation: int) -> None:
        """Fork a worker as soon as the generation's mold can."""
        mold = self._molds[generation]
        if mold.ready:
            self._ask(mold, request)
        else:
            mold.waiting.append(request)

    def withdraw(self, handle: Handle, *, kill: bool) -> None:
        """Drop what waits for `handle`. One under way cannot be called back, but its mold can be killed for it."""
        for mold in self._molds.values():
            for request in [one for one in mold.waiting if one.handle is handle]:
                mold.waiting.remove(request)
                request.close()
            if kill and any(request.handle is handle for request in mold.asked.values()):
                reason = f"{handle.name} was not announced in time"
                self._nursery.feed(mold.handle, machine.Kill(reason, wanted=True))

    def _entry(self, mold: Mold) -> Entry:
        spec = replace(mold.spec, preload=mold.preload)
        return entry_point("kherd.worker.mold", _spec_for(spec))

    def _ask(self, mold: Mold, request: Request) -> None:
        identity = request.identity
        mold.asked[(identity.slot, identity.incarnation)] = request
        message = {"type": "spawn", "life": identity.life, "slot": identity.slot, "incarnation": identity.incarnation}
        self._nursery.say(mold.handle, message, request.fds)

    def _hear(self, mold: Mold, message: Message) -> None:
        match message["type"]:
            case "ready":
                mold.ready = True
                mold.trouble = message.get("reason") or mold.trouble
                waiting, mold.waiting = mold.waiting, []
                for request in waiting:
                    self._ask(mold, request)
            case "unpreloadable":
                mold.preload = False
                assert mold.handle.process is not None
                mold.handle.process.asked = True  # it ends now, and comes back without the module
                log.emit(events.PRELOAD_REFUSED, reason=message["reason"])
            case "forked" | "fork_failed":
                self._settle(mold, message)

    def _settle(self, mold: Mold, message: Message) -> None:
        request = mold.asked.pop((message["slot"], message["incarnation"]), None)
        if request is None:
            return
        request.close()
        if message.get("status") != 0 and request.is_of_now:
            if request.handle.process is not None and "reason" in message:
                request.handle.process.said = message["reason"]
            self._lost(request.handle)

    def _ended(self, mold: Mold, cause: Cause) -> None:
        if not mold.ready and cause.kind == "hang":
            mold.preload = False
            mold.trouble = f"importing {mold.spec.handler} did not end within {mold.handle.timeout:g} s"
            log.emit(events.PRELOAD_REFUSED, reason="importing it did not end in time")
        mold.ready = False
        asked, mold.asked = mold.asked, {}
        for request in asked.values():
            request.close()
            if request.is_of_now:
                self._lost(request.handle)


def _spec_for(spec: WorkerSpec) -> tuple[WorkerSpec, int]:
    """What the mold is told: its workers' spec, and the pid they must end up under."""
    return spec, os.getpid()
