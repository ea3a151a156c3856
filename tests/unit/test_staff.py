"""The services: started once, restarted from wherever they are, stopped for good."""

import pytest

from kherd.supervisor.decide.child import Action, Child, State
from kherd.supervisor.decide.restart import RestartPolicy
from kherd.supervisor.process.handle import Handle
from kherd.supervisor.staff import Staff
from kherd.worker.spec import LogSpec

from ..fakes.nursery import FakeNursery


@pytest.fixture
def nursery() -> FakeNursery:
    """A nursery without processes."""
    return FakeNursery()


@pytest.fixture
def staff(nursery: FakeNursery) -> Staff:
    """A staff of one liaison."""
    one = Staff(
        nursery=nursery,  # type: ignore[arg-type] # the fake has its interface
        app="orders",
        log_spec=LogSpec(),
        policy=RestartPolicy(),
        specs={"liaison": object},
        hear={"liaison": lambda _: None},
        ended={"liaison": lambda _: None},
    )
    one.add("liaison", ready=None)
    return one


def _at(staff: Staff, state: State) -> Handle:
    handle = staff.handles["liaison"]
    handle.child = Child(state, deadline=9.0 if state is State.BACKOFF else None, wanted=state is not State.DOWN)
    return handle


@pytest.mark.parametrize("state", [State.DOWN, State.BACKOFF, State.HELD])
def test_a_restart_of_one_that_does_not_run_is_a_start(staff: Staff, nursery: FakeNursery, state: State) -> None:
    handle = _at(staff, state)
    staff.restart("liaison", 2.0, "its settings changed")
    assert handle.child.state is State.SPAWNING
    assert nursery.done == [("liaison", Action.SPAWN)]


def test_a_restart_of_one_that_runs_is_a_stop_that_comes_back(staff: Staff, nursery: FakeNursery) -> None:
    handle = _at(staff, State.READY)
    staff.restart("liaison", 2.0, "its settings changed")
    assert (handle.child.state, handle.child.wanted) == (State.DRAINING, True)
    assert nursery.done == [("liaison", Action.TERM)]


def test_one_that_runs_is_not_started_again(staff: Staff, nursery: FakeNursery) -> None:
    _at(staff, State.READY)
    staff.start("liaison")
    assert nursery.done == []


def test_who_is_not_there_is_neither_stopped_nor_told_anything(staff: Staff, nursery: FakeNursery) -> None:
    staff.stop("exporter", 5.0)
    staff.say("exporter", {"type": "snapshot"})
    assert (nursery.done, nursery.said) == ([], [])
    _at(staff, State.BACKOFF)
    staff.stop("liaison", 5.0)
    assert staff.handles["liaison"].child.state is State.DOWN
