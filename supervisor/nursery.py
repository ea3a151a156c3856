"""Every child process is raised here: events go in, the child's machine decides, the actions are performed.

What differs between a worker and a service is its `Kind`; how a process is signalled, reaped and judged does not.
"""

import os
import random
import signal
from collections.abc import Iterable
from contextlib import suppress
from typing import Final

from ..worker import clock, events, kernel, log
from ..worker.channel import Message
from .decide import child as machine
from .decide.cause import Cause, Facts, name_cause
from .decide.child import Action
from .decide.restart import STEADY_SECONDS, Again, End, Failures, Hold, Plan, plan_restart
from .kind import Kind
from .poller import Poller, Ready
from .process.ends import facts_of, in_words, reap, take_from_parent
from .process.handle import Death, Handle, Process

RNG: Final = random.Random()


class Nursery:
    """All children of the supervisor."""

    def __init__(self, poller: Poller) -> None:
        self._poller = poller
        self._kinds: dict[str, Kind] = {}
        self.handles: dict[str, Handle] = {}
        self.deaths: dict[str, int] = {}
        self.restarts = 0
        self.killed_at_deadline = False
        self._oom_kills = kernel.oom_kills()

    def add(self, handle: Handle, kind: Kind) -> None:
        """Take a child in; it is down until it is fed `Start`."""
        self.handles[handle.name], self._kinds[handle.name] = handle, kind

    def remove(self, handle: Handle) -> None:
        """Forget a child that is down."""
        del self.handles[handle.name], self._kinds[handle.name]

    def feed(self, handle: Handle, event: machine.Event) -> None:
        """Let `event` happen to a child and perform what follows."""
        try:
            handle.child, actions = machine.step(handle.child, event, clock.monotonic())
        except machine.IllegalEventError as error:
            log.emit(events.INTERNAL_ERROR, error=error, reason=f"{handle.name}: {error}")
            return
        if isinstance(event, machine.Ready) and handle.ready_at is None:
            handle.ready_at = clock.monotonic()
        for action in actions:
            self._perform(handle, action)

    def adopt(self, handle: Handle, process: Process) -> None:
        """The process of `handle` exists, with its pidfd held."""
        assert process.pid is not None
        assert process.pidfd is not None
        self._poller.watch(process.pidfd, lambda _: self._pidfd_ready(process))
        log.emit(events.CHILD_STARTED, child=handle.name, child_pid=process.pid)
        self.feed(handle, machine.Announced())

    def attach(self, handle: Handle, process: Process) -> None:
        """Read `process`' channel from now on."""
        handle.process = process
        self._poller.watch(process.channel.fileno(), lambda ready: self._channel_ready(handle, process, ready))

    def say(self, handle: Handle, message: Message, fds: Iterable[int] = ()) -> None:
        """Send a message to a child, if it has a process."""
        process = handle.process
        if process is None or process.channel.closed:
            return
        process.channel.send(message, tuple(fds))
        if process.channel.outbox:
            self._poller.watch(
                process.channel.fileno(), lambda ready: self._channel_ready(handle, process, ready), write=True
            )

    def fail(self, handle: Handle, reason: str) -> None:
        """There is no process of `handle`: the request for one came to nothing."""
        log.emit(events.SPAWN_FAILED, child=handle.name, reason=reason)
        process = handle.process
        self._release(handle)
        self._conclude(handle, process, name_cause(Facts(said=reason)))

    def reap(self) -> None:
        """Reap every process that has ended, ours and strangers that were orphaned into our care."""
        by_pid = {handle.pid: handle for handle in self.handles.values() if handle.pid is not None}
        while True:
            try:
                found = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
            except ChildProcessError:
                return
            if found is None:
                return
            # A service that was forked since `by_pid` was made, by a burial, may have ended already.
            handle = by_pid.pop(found.si_pid, None) or self._owner(found.si_pid)
            if handle is not None:
                self._bury(handle)
            else:
                self._bury_stranger(found.si_pid)

    def _owner(self, pid: int) -> Handle | None:
        return next((handle for handle in self.handles.values() if handle.pid == pid), None)

    def deadline(self, now: float) -> float | None:
        """Return when the next deadline of a child is due; those that are due now are fed `Timeout`."""
        for handle in list(self.handles.values()):
            if handle.child.deadline is not None and handle.child.deadline <= now:
                self._time_out(handle)
        return min(
            (one.child.deadline for one in self.handles.values() if one.child.deadline is not None), default=None
        )

    def _time_out(self, handle: Handle) -> None:
        if handle.child.state is machine.State.DRAINING:
            self.killed_at_deadline = True
        self.feed(handle, machine.Timeout(handle.timeout))

    def _perform(self, handle: Handle, action: Action) -> None:
        kind, process = self._kinds[handle.name], handle.process
        if action is Action.SPAWN:
            handle.ready_at = None
            handle.incarnation += 1
            kind.spawn(handle)
            return
        assert process is not None
        match action:
            case Action.OPEN_GATE:
                kind.open_gate(handle)
            case Action.TERM:
                process.asked = True
                kind.stop(handle)
            case Action.DUMP:
                process.hang = handle.child.reason
                kind.dump(handle, process)
            case Action.KILL:
                process.killed_for = handle.child.reason
                log.emit(events.CHILD_KILLED, child=handle.name, child_pid=process.pid, reason=handle.child.reason)
                self._signal(process, signal.SIGKILL)
            case Action.HANG_UP:
                process.channel.hang_up()
                kind.hung_up(handle)

    def send_signal(self, handle: Handle, number: signal.Signals) -> None:
        """Send a signal through the pidfd, if there is a process."""
        if handle.process is not None:
            self._signal(handle.process, number)

    def _signal(self, process: Process, number: signal.Signals) -> None:
        if process.pidfd is None:
            return
        with suppress(ProcessLookupError):
            signal.pidfd_send_signal(process.pidfd, number)

    def _pidfd_ready(self, process: Process) -> None:
        self.reap()
        if process.pidfd is not None and process.pid is not None:
            # Dead, but still the child of the process in between: SIGCHLD comes when it becomes ours.
            self._poller.forget(process.pidfd)
            take_from_parent(process.pid)

    def _channel_ready(self, handle: Handle, process: Process, ready: Ready) -> None:
        if ready.writable:
            process.channel.flush()
            if not process.channel.outbox:
                self._poller.watch(process.channel.fileno(), lambda again: self._channel_ready(handle, process, again))
        if ready.readable:
            self._read(handle, process)
        if process.channel.closed and handle.process is process:
            self._poller.forget(process.channel.fileno())
            if process.pid is None:
                self.fail(handle, process.said or "it ended before its process was announced")
            elif handle.child.state in machine.OPEN_ENDED:
                self.feed(handle, machine.Hang("it has closed its channel"))  # its end, mostly, which is seen next

    def _read(self, handle: Handle, process: Process) -> None:
        while handle.process is process and (received := process.channel.receive()) is not None:
            message, fds = received
            for fd in fds:  # no child has descriptors to give
                os.close(fd)
            self._kinds[handle.name].message(handle, message)

    def _bury(self, handle: Handle) -> None:
        """Reap a child of ours. Its group dies first: while it is a zombie, its pid is nobody else's."""
        process = handle.process
        assert process is not None
        assert process.pid is not None
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        self._read(handle, process)
        reap(process)
        kills = kernel.oom_kills()
        oom, self._oom_kills = kills > self._oom_kills, max(kills, self._oom_kills)  # unreadable counts as 0
        cause = name_cause(facts_of(process, oom=oom))
        self._release(handle)
        self._conclude(handle, process, cause)

    def _release(self, handle: Handle) -> None:
        """Give back what belongs to the process; the child's kind has not heard of its end yet."""
        process, handle.process = handle.process, None
        if process is None:
            return
        if process.pidfd is not None:
            self._poller.forget(process.pidfd)
            os.close(process.pidfd)
            process.pidfd = None
        self._poller.forget(process.channel.fileno())
        process.channel.close()

    def _conclude(self, handle: Handle, process: Process | None, cause: Cause) -> None:
        """Tell of the end, plan what follows, and let it happen."""
        kind, now, wanted = self._kinds[handle.name], clock.monotonic(), handle.child.wanted
        asked = process is not None and process.asked and not process.hang and (cause.clean or cause.kind == "killed")
        handle.last_death = Death(clock.wall(), cause, wanted=asked or not wanted)
        if not handle.last_death.wanted:
            self.deaths[cause.kind] = self.deaths.get(cause.kind, 0) + 1
        told = events.CHILD_ENDED if handle.last_death.wanted else events.CHILD_DIED
        log.emit(told, child=handle.name, child_pid=process.pid if process else None, cause=cause.text)
        steady = handle.ready_at is not None and now - handle.ready_at >= STEADY_SECONDS
        blamed = process is not None and kind.blames(handle, process, cause)
        end = End(wanted, asked, steady, cause.text if cause.permanent else None, blamed)
        plan, after = plan_restart(kind.policy, Failures(handle.failures, kind.recent), end, now, RNG)
        handle.failures, kind.recent = after.in_a_row, after.recent
        if process is not None:
            kind.gone(handle, process, cause, plan)
        self._tell(handle, plan, cause, now)
        self.feed(handle, machine.Ended(plan, handle.timeout))

    def _tell(self, handle: Handle, plan: Plan, cause: Cause, now: float) -> None:
        if isinstance(plan, Again):
            wanted = handle.last_death is not None and handle.last_death.wanted
            handle.restarts += not wanted
            self.restarts += not wanted
            if plan.at > now:
                log.emit(events.CHILD_BACKOFF, child=handle.name, seconds=plan.at - now, reason=cause.text)
            if plan.degraded:
                self._kinds[handle.name].degraded(handle)
        elif isinstance(plan, Hold):
            log.emit(events.CHILD_HELD, child=handle.name, reason=plan.reason)

    def _bury_stranger(self, pid: int) -> None:
        status = os.waitid(os.P_PID, pid, os.WEXITED)
        if status is not None:
            log.emit(events.STRANGER_REAPED, child_pid=pid, cause=in_words(status))
