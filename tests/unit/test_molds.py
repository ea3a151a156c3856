"""Requests to the molds: every one is answered, withdrawn or lost exactly once, and no descriptor of it is kept."""

import os
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import pytest

from kherd.supervisor.decide import child as machine
from kherd.supervisor.decide.cause import Cause
from kherd.supervisor.decide.child import Action, State
from kherd.supervisor.decide.restart import RestartPolicy, StayDown
from kherd.supervisor.molds import Molds, Request
from kherd.supervisor.process.handle import Death, Handle
from kherd.supervisor.services import Service
from kherd.worker.spec import SlotIdentity

from ..fakes.nursery import FakeNursery, process
from ..fakes.specs import worker_spec

KILLED = Cause("SIGKILL, not sent by kherd", "signal:KILL")


@dataclass
class Foundry:
    """Molds over a nursery without processes."""

    nursery: FakeNursery = field(default_factory=FakeNursery)
    lost: list[str] = field(default_factory=list)
    open: set[int] = field(default_factory=set)
    molds: Molds = field(init=False)

    def __post_init__(self) -> None:
        self.molds = Molds(self.nursery, lambda handle: self.lost.append(handle.name))  # type: ignore[arg-type] # the fake has its interface

    def request(self, slot: int, generation: int = 1) -> Request:
        """Ask for one worker, with descriptors that `leaked` looks for."""
        fds = tuple(os.dup(2) for _ in range(3))
        self.open.update(fds)
        handle = Handle(f"worker {slot}", 60.0, incarnation=1)
        request = Request(handle, SlotIdentity(7, slot, 1), fds)
        self.molds.request(request, generation)
        return request

    def hear(self, type_: str, generation: int = 1, **fields: object) -> None:
        """Let a mold say something."""
        name = f"mold {generation}"
        service = self.nursery.kinds[name]
        assert isinstance(service, Service)
        service.hear(self.nursery.handles[name], {"type": type_, **fields})

    def end(self, cause: Cause = KILLED, generation: int = 1) -> None:
        """Let a mold die."""
        name = f"mold {generation}"
        service = self.nursery.kinds[name]
        assert isinstance(service, Service)
        service.ended(self.nursery.handles[name], cause)

    def mold(self, generation: int = 1) -> Handle:
        return self.nursery.handles[f"mold {generation}"]

    @property
    def leaked(self) -> list[int]:
        """Descriptors that are still open."""
        return [fd for fd in self.open if _is_open(fd)]


def _is_open(fd: int) -> bool:
    try:
        os.fstat(fd)
    except OSError:
        return False
    return True


@pytest.fixture
def foundry() -> Iterator[Foundry]:
    """One mold, of generation 1, that is not ready yet."""
    one = Foundry()
    one.molds.add(worker_spec(), 42.0, RestartPolicy())
    yield one
    for fd in one.leaked:
        os.close(fd)
    for handle in one.nursery.handles.values():
        if handle.process is not None:
            handle.process.channel.close()


def test_a_mold_may_take_as_long_as_a_worker_to_import_the_handler(foundry: Foundry) -> None:
    assert foundry.mold().child.deadline == 42.0


def test_requests_wait_until_the_mold_is_ready_and_keep_their_order(foundry: Foundry) -> None:
    requests = [foundry.request(slot) for slot in (2, 0, 1)]
    assert foundry.nursery.said == []
    foundry.hear("ready")
    assert [message["slot"] for message in foundry.nursery.to("mold 1")] == [2, 0, 1]
    assert [fds for _, _, fds in foundry.nursery.said] == [request.fds for request in requests]
    foundry.request(3)
    assert [message["slot"] for message in foundry.nursery.to("mold 1")] == [2, 0, 1, 3]


def test_a_forked_worker_settles_its_request_and_nothing_is_kept(foundry: Foundry) -> None:
    foundry.hear("ready")
    foundry.request(0)
    assert len(foundry.leaked) == 3
    foundry.hear("forked", slot=0, incarnation=1, status=0)
    assert foundry.leaked == []
    assert foundry.lost == []
    foundry.hear("forked", slot=0, incarnation=1, status=0)


@pytest.mark.parametrize(("answer", "status"), [("fork_failed", None), ("forked", 1), ("forked", -9)])
def test_a_worker_that_was_not_forked_is_lost_once_and_says_why(
    foundry: Foundry, answer: str, status: int | None
) -> None:
    foundry.hear("ready")
    request = foundry.request(0)
    request.handle.process = process()
    said = {"reason": "Resource temporarily unavailable"} if status is None else {"status": status}
    foundry.hear(answer, slot=0, incarnation=1, **said)
    assert foundry.lost == ["worker 0"]
    assert foundry.leaked == []
    assert request.handle.process.said == said.get("reason")
    request.handle.process.channel.close()
    foundry.end()
    assert foundry.lost == ["worker 0"]


@pytest.mark.parametrize("how", ["answered", "ended"])
def test_who_has_a_newer_process_by_now_loses_nothing(foundry: Foundry, how: str) -> None:
    foundry.hear("ready")
    foundry.request(0).handle.incarnation += 1
    if how == "answered":
        foundry.hear("forked", slot=0, incarnation=1, status=-9)
    else:
        foundry.end()
    assert foundry.lost == []
    assert foundry.leaked == []


def test_a_dead_mold_loses_what_is_under_way_and_keeps_what_waits(foundry: Foundry) -> None:
    foundry.hear("ready")
    foundry.request(0)
    foundry.end()
    assert foundry.lost == ["worker 0"]
    assert foundry.leaked == []
    foundry.request(1)
    assert len(foundry.leaked) == 3
    foundry.hear("ready")
    assert foundry.nursery.to("mold 1")[-1]["slot"] == 1


def test_a_withdrawn_request_that_waits_is_dropped_and_the_mold_lives(foundry: Foundry) -> None:
    request = foundry.request(0)
    other = foundry.request(1)
    foundry.molds.withdraw(request.handle, kill=True)
    assert set(foundry.leaked) == set(other.fds)
    assert ("mold 1", Action.KILL) not in foundry.nursery.done
    foundry.hear("ready")
    assert [message["slot"] for message in foundry.nursery.to("mold 1")] == [1]


@pytest.mark.parametrize("kill", [True, False])
def test_a_request_under_way_is_withdrawn_by_killing_its_mold(foundry: Foundry, kill: bool) -> None:
    for event in (machine.Announced(), machine.Booted(), machine.GateOpened(), machine.Ready()):
        foundry.nursery.feed(foundry.mold(), event)
    foundry.hear("ready")
    request = foundry.request(0)
    foundry.molds.withdraw(request.handle, kill=kill)
    assert (foundry.mold().child.state is State.KILLING) == kill
    assert not kill or foundry.mold().child.wanted
    assert len(foundry.leaked) == 3  # until the mold is known to be dead, the worker may still come to be
    foundry.end()
    assert foundry.leaked == []
    assert foundry.lost == ["worker 0"]


def test_an_unpreloadable_module_is_not_imported_by_the_next_mold(foundry: Foundry) -> None:
    foundry.mold().process = process()
    mold = foundry.molds._molds[1]
    assert mold.preload
    foundry.hear("unpreloadable", reason="importing it started 1 thread(s)")
    assert not mold.preload
    assert foundry.mold().process.asked


def test_a_module_whose_import_does_not_end_is_not_preloaded_again(foundry: Foundry) -> None:
    foundry.end(Cause("killed by kherd: it did not boot in time", "hang"))
    assert not foundry.molds._molds[1].preload


def test_a_mold_that_hangs_after_its_import_is_preloaded_again(foundry: Foundry) -> None:
    foundry.hear("ready")
    foundry.end(Cause("killed by kherd: stuck", "hang"))
    assert foundry.molds._molds[1].preload


def test_what_keeps_a_mold_from_loading_the_handler_is_its_trouble(foundry: Foundry) -> None:
    assert (foundry.molds.loaded(1), foundry.molds.trouble(1)) == (False, None)
    foundry.hear("ready", preloaded=False, reason="importing orders raised NameError: limit")
    assert (foundry.molds.loaded(1), foundry.molds.trouble(1)) == (True, "importing orders raised NameError: limit")


def test_an_import_that_does_not_end_stays_a_trouble_although_the_next_mold_is_ready(foundry: Foundry) -> None:
    foundry.end(Cause("killed by kherd: it did not boot in time", "hang"))
    foundry.hear("ready", preloaded=False, reason=None)
    assert foundry.molds.trouble(1) == "importing orders:handle did not end within 42 s"


@pytest.mark.parametrize("wanted", [True, False])
def test_a_mold_that_died_is_a_trouble_unless_it_was_asked_to(foundry: Foundry, wanted: bool) -> None:
    foundry.mold().last_death = Death(0.0, KILLED, wanted=wanted)
    assert foundry.molds.trouble(1) == (None if wanted else "its mold died: SIGKILL, not sent by kherd")


def test_a_mold_that_still_loads_is_killed_when_it_is_retired_for_it_may_not_hear_term(foundry: Foundry) -> None:
    foundry.nursery.feed(foundry.mold(), machine.Announced())
    old = foundry.mold()
    foundry.molds.retire(set(), 5.0)
    assert (old.child.state, old.child.wanted) == (State.KILLING, False)


def test_a_retired_generation_is_stopped_and_forgotten_when_it_is_down(foundry: Foundry) -> None:
    foundry.molds.add(replace(worker_spec(), generation=2), 42.0, RestartPolicy())
    old = foundry.mold()
    foundry.nursery.feed(old, machine.Announced())
    foundry.hear("ready")
    foundry.molds.retire({2}, 5.0)
    assert old.child.state is State.DRAINING
    assert "mold 1" in foundry.nursery.handles
    foundry.molds.retire({2}, 5.0)
    foundry.nursery.feed(old, machine.Ended(StayDown(), 42.0))
    foundry.molds.retire({2}, 5.0)
    assert list(foundry.nursery.handles) == ["mold 2"]
    assert foundry.molds.spec(2).generation == 2
