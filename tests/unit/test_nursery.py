"""The nursery with real processes: every end is found by its owner, in order, and nothing of a process is kept."""

import os
import signal
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from kherd.supervisor.decide import child as machine
from kherd.supervisor.decide.cause import Cause
from kherd.supervisor.decide.child import State
from kherd.supervisor.decide.restart import RestartPolicy
from kherd.supervisor.nursery import Nursery
from kherd.supervisor.poller import Poller
from kherd.supervisor.process.handle import Handle
from kherd.supervisor.process.spawn import Entry, ThreadedForkError, fork_service
from kherd.supervisor.services import Service
from kherd.worker import clock, log
from kherd.worker.channel import Channel
from kherd.worker.spec import LogSpec

from ..fakes.processes import alive, until

TIMEOUT = 10.0


@dataclass
class Ward:
    """A nursery of services, each a real fork that runs `entry`."""

    poller: Poller = field(default_factory=Poller)
    ended: list[tuple[str, str]] = field(default_factory=list)
    heard: list[str] = field(default_factory=list)
    nursery: Nursery = field(init=False)

    def __post_init__(self) -> None:
        self.nursery = Nursery(self.poller)

    def add(self, name: str, *entries: Entry, start: bool = True) -> Handle:
        """Take in a service that runs the next of `entries` at each start, the last one from then on."""
        left = list(entries)
        handle = Handle(name, TIMEOUT)
        service = Service(
            nursery=self.nursery,
            role=name,
            entry=lambda: left.pop(0) if len(left) > 1 else left[0],
            app="test",
            log_spec=LogSpec(level="error"),
            hear=lambda _, message: self.heard.append(message["type"]),
            ended=self.note,
            policy=RestartPolicy(backoff_max=60),
        )
        self.nursery.add(handle, service)
        if start:
            self.nursery.feed(handle, machine.Start(TIMEOUT))
        return handle

    def note(self, handle: Handle, cause: Cause) -> None:
        self.ended.append((handle.name, cause.kind))

    def until(self, condition: Callable[[], object]) -> None:
        """Run the loop until `condition` holds."""

        def turn() -> object:
            self.poller.wait(0.01)
            return condition()

        until(turn)

    def close(self) -> None:
        for handle in self.nursery.handles.values():
            self.nursery.feed(handle, machine.Kill("the test is over"))
        self.until(lambda: all(handle.child.state is State.DOWN for handle in self.nursery.handles.values()))
        self.poller.close()


def _stay(channel: Channel) -> int:
    del channel
    while True:
        signal.pause()


def _leave(channel: Channel) -> int:
    del channel
    return 0


def _last_words(channel: Channel) -> int:
    channel.send({"type": "last words"})
    return 3


@pytest.fixture
def ward() -> Iterator[Ward]:
    """A nursery that is emptied at the end."""
    log.configure(LogSpec(level="error"), log.Identity("test", "supervisor"))
    one = Ward()
    before = _open_fds()
    yield one
    for handle in list(one.nursery.handles.values()):
        if handle.child.state is State.HELD:
            one.nursery.feed(handle, machine.Kill("over"))
    one.close()
    assert _open_fds() <= before  # the poller's own is gone too


def _open_fds() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def test_a_service_runs_in_its_own_group_and_its_end_is_its_owners(ward: Ward) -> None:
    handle = ward.add("one", _stay)
    assert handle.pid is not None
    until(lambda: os.getpgid(handle.pid or 0) == handle.pid)
    assert handle.child.state is State.READY
    os.kill(handle.pid, signal.SIGKILL)
    ward.until(lambda: ward.ended == [("one", "signal:KILL")])
    assert handle.child.state is State.BACKOFF
    assert handle.pid is None
    assert ward.nursery.deaths == {"signal:KILL": 1}


def test_last_words_are_heard_before_the_end_is_told(ward: Ward) -> None:
    handle = ward.add("one", _last_words)
    ward.until(lambda: ward.ended)
    assert ward.heard == ["last words"]
    assert ward.ended == [("one", "exit:3")]
    assert handle.child.state is State.BACKOFF


def test_many_deaths_at_once_are_all_found_by_one_wake_up(ward: Ward) -> None:
    handles = [ward.add(f"service {n}", _stay) for n in range(20)]
    pids = [handle.pid or 0 for handle in handles]
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
    until(lambda: not any(alive(pid) for pid in pids))
    ward.nursery.reap()
    assert len(ward.ended) == 20
    ward.nursery.reap()
    assert len(ward.ended) == 20


def test_a_service_that_dies_within_anothers_burial_is_not_taken_for_a_stranger(ward: Ward) -> None:
    # `reap` buries `first`, which comes back at once; its new process is dead before `reap` looks for the next one.
    first = ward.add("first", _stay, _leave)
    first.ready_at = (first.ready_at or 0.0) - 10  # steady, so it is restarted within its burial
    pid = first.pid or 0

    spawn = ward.nursery._kinds["first"].spawn

    def spawn_and_wait(handle: Handle) -> None:
        spawn(handle)
        until(lambda: not alive(handle.pid or 0))

    ward.nursery._kinds["first"] = _Delegate(ward.nursery._kinds["first"], spawn_and_wait)  # type: ignore[assignment] # it is one
    os.kill(pid, signal.SIGKILL)
    until(lambda: not alive(pid))
    ward.nursery.reap()
    assert ward.ended == [("first", "signal:KILL"), ("first", "exit:0")]
    assert first.child.state is State.BACKOFF
    assert first.pid is None


class _Delegate:
    """A kind whose `spawn` returns only when the new process is dead."""

    def __init__(self, kind: object, spawn: Callable[[Handle], None]) -> None:
        self.__dict__["kind"], self.__dict__["spawn"] = kind, spawn

    def __getattr__(self, name: str) -> object:
        return getattr(self.__dict__["kind"], name)

    def __setattr__(self, name: str, value: object) -> None:
        setattr(self.__dict__["kind"], name, value)


def test_a_stranger_is_reaped_and_nobody_is_blamed(ward: Ward) -> None:
    ward.add("one", _stay)
    stranger = os.fork()
    if stranger == 0:
        os._exit(5)
    until(lambda: not alive(stranger))
    ward.nursery.reap()
    assert ward.ended == []
    with pytest.raises(ChildProcessError):
        os.waitpid(stranger, os.WNOHANG)


def test_a_stop_is_kept_and_a_service_that_is_asked_twice_ends_once(ward: Ward) -> None:
    handle = ward.add("one", _stay)
    for _ in range(2):
        ward.nursery.feed(handle, machine.Stop(1e12, wanted=False, reason="over"))
    ward.until(lambda: handle.child.state is State.DOWN)
    assert ward.ended == [("one", "stop")]
    assert handle.restarts == 0


def test_an_event_that_cannot_come_changes_nothing(ward: Ward) -> None:
    handle = ward.add("one", _stay, start=False)
    ward.nursery.feed(handle, machine.Announced())
    assert handle.child.state is State.DOWN


def test_a_deadline_that_passes_kills_and_is_remembered(ward: Ward) -> None:
    handle = ward.add("one", _deaf)
    ward.until(lambda: ward.heard == ["deaf"])
    ward.nursery.feed(handle, machine.Stop(0.0, wanted=False, reason="over"))
    assert ward.nursery.deadline(1.0) is None
    assert ward.nursery.killed_at_deadline
    ward.until(lambda: handle.child.state is State.DOWN)
    assert ward.ended == [("one", "killed")]


def _deaf(channel: Channel) -> int:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    channel.send({"type": "deaf"})
    return _stay(channel)


def test_a_process_that_closes_its_channel_and_lives_on_is_killed(ward: Ward) -> None:
    handle = ward.add("one", _hang_up)
    assert handle.child.state is State.READY

    def turn() -> object:
        ward.nursery.deadline(clock.monotonic())
        return ward.ended

    ward.until(turn)
    assert ward.ended == [("one", "hang")]
    assert handle.child.state is State.BACKOFF


def _hang_up(channel: Channel) -> int:
    channel.close()
    return _stay(channel)


def test_a_service_whose_entry_raises_ends_as_a_temporary_failure(ward: Ward) -> None:
    def entry(channel: Channel) -> int:
        del channel
        raise RuntimeError("broken")

    handle = ward.add("one", entry)
    ward.until(lambda: ward.ended)
    assert ward.ended == [("one", "exit:111")]
    assert handle.child.state is State.BACKOFF


def test_a_process_with_two_threads_does_not_fork() -> None:
    import threading  # noqa: PLC0415 - the supervisor has none

    gate = threading.Event()
    thread = threading.Thread(target=gate.wait)
    thread.start()
    try:
        with pytest.raises(ThreadedForkError, match="2 threads"):
            fork_service(_leave, LogSpec(), log.Identity())
    finally:
        gate.set()
        thread.join()
