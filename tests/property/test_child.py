"""A child's life: the table is total, and no history of events breaks what the machine promises."""

import random
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kherd.supervisor.decide import child as machine
from kherd.supervisor.decide.child import (
    ALIVE,
    EVENTS,
    GONE,
    IGNORE,
    ILLEGAL,
    STACKS_SECONDS,
    TERM_SECONDS,
    TRANSITIONS,
    Action,
    Child,
    Event,
    Move,
    State,
)
from kherd.supervisor.decide.restart import Again, End, Failures, Hold, Plan, RestartPolicy, StayDown, plan_restart

TIMEOUT = 60.0
seconds = st.floats(0, 100, allow_nan=False)


def _in(states: Iterable[State]) -> st.SearchStrategy[Child]:
    return st.builds(
        Child,
        state=st.sampled_from(sorted(states, key=list(State).index)),
        since=seconds,
        deadline=st.none() | seconds,
        wanted=st.booleans(),
        reason=st.sampled_from(["", "rolling"]),
        termed=st.booleans(),
    )


children = _in(State)
PLANS = st.one_of(st.just(StayDown()), st.builds(Hold, st.just("bad handler")), st.builds(Again, seconds))
EVENT_OF: dict[type[Event], st.SearchStrategy[Any]] = {
    machine.Start: st.builds(machine.Start, st.just(TIMEOUT)),
    machine.Announced: st.just(machine.Announced()),
    machine.Booted: st.just(machine.Booted()),
    machine.GateOpened: st.just(machine.GateOpened()),
    machine.Ready: st.just(machine.Ready()),
    machine.Stop: st.builds(machine.Stop, seconds, st.booleans(), st.just("stopping")),
    machine.Kill: st.builds(machine.Kill, st.just("now"), st.booleans()),
    machine.Hang: st.just(machine.Hang("stuck")),
    machine.MoldLost: st.just(machine.MoldLost()),
    machine.Ended: st.builds(machine.Ended, PLANS, st.just(TIMEOUT)),
    machine.Timeout: st.just(machine.Timeout(TIMEOUT)),
}


def test_every_state_and_event_is_in_the_table() -> None:
    assert set(TRANSITIONS) == {(state, event) for state in State for event in EVENTS}
    assert set(EVENTS) == set(EVENT_OF)
    assert all(isinstance(cell, Move) or cell in {IGNORE, ILLEGAL} for cell in TRANSITIONS.values())


@settings(max_examples=600)
@given(children, st.sampled_from(EVENTS).flatmap(EVENT_OF.__getitem__), seconds)
def test_a_step_leads_only_where_its_cell_says(child: Child, event: Event, now: float) -> None:
    cell = TRANSITIONS[(child.state, type(event))]
    if cell == ILLEGAL:
        with pytest.raises(machine.IllegalEventError, match=child.state.name):
            machine.step(child, event, now)
        return
    after, actions = machine.step(child, event, now)
    if isinstance(cell, Move):
        assert after.state in cell.to
    else:
        assert (after, actions) == (child, ())


@given(children, st.sampled_from(EVENTS).flatmap(EVENT_OF.__getitem__), seconds)
def test_every_wait_for_a_process_that_may_never_answer_has_a_deadline(child: Child, event: Event, now: float) -> None:
    if TRANSITIONS[(child.state, type(event))] == ILLEGAL:
        return
    after, _ = machine.step(child, event, now)
    if after.state is child.state:
        return
    if after.state in {State.SPAWNING, State.DRAINING, State.DUMPING, State.TERMINATING, State.BACKOFF}:
        assert after.deadline is not None
    elif after.state is not State.BOOTING:
        assert after.deadline is None


@given(_in(GONE), seconds)
def test_every_start_has_a_deadline_that_its_boot_inherits(child: Child, now: float) -> None:
    spawning, actions = machine.step(child, machine.Start(TIMEOUT), now)
    assert actions == (Action.SPAWN,)
    assert spawning.wanted
    booting, _ = machine.step(spawning, machine.Announced(), now + 1)
    assert booting.deadline == spawning.deadline == now + TIMEOUT


@pytest.mark.parametrize(
    ("plan", "after"),
    [
        (StayDown(), Child(State.DOWN, 5.0)),
        (Hold("bad handler"), Child(State.HELD, 5.0, wanted=True, reason="bad handler")),
        (Again(4.0), Child(State.SPAWNING, 5.0, 5.0 + TIMEOUT, wanted=True)),
        (Again(7.0), Child(State.BACKOFF, 5.0, 7.0, wanted=True)),
    ],
)
@given(_in(set(State) - GONE))
def test_what_follows_an_end_is_what_was_planned(plan: Plan, after: Child, child: Child) -> None:
    found, actions = machine.step(child, machine.Ended(plan, TIMEOUT), 5.0)
    assert found == after
    assert actions == ((Action.SPAWN,) if after.state is State.SPAWNING else ())


@given(_in([State.DRAINING]), seconds, seconds, st.booleans())
def test_a_second_stop_can_only_bring_the_end_closer(child: Child, now: float, deadline: float, wanted: bool) -> None:
    after, actions = machine.step(child, machine.Stop(deadline, wanted, "again"), now)
    assert actions == ()
    assert after.deadline == (deadline if child.deadline is None else min(child.deadline, deadline))
    assert after.wanted == (child.wanted and wanted)


@given(_in([State.BOOTING, State.READY, State.DRAINING]), seconds)
def test_who_hangs_shows_its_stacks_then_may_end_by_itself_then_is_killed(child: Child, now: float) -> None:
    dumping, actions = machine.step(child, machine.Hang("stuck"), now)
    assert (dumping.state, dumping.deadline, actions) == (State.DUMPING, now + STACKS_SECONDS, (Action.DUMP,))
    after, actions = machine.step(dumping, machine.Timeout(TIMEOUT), now)
    if not child.termed:
        assert (after.state, after.deadline, actions) == (State.TERMINATING, now + TERM_SECONDS, (Action.TERM,))
        after, actions = machine.step(after, machine.Timeout(TIMEOUT), now)
    assert (after.state, after.reason, actions) == (State.KILLING, "stuck", (Action.KILL,))


@given(_in([State.BOOTING, State.READY, State.DRAINING, State.DUMPING, State.TERMINATING]), seconds)
def test_a_kill_waits_for_nothing(child: Child, now: float) -> None:
    killing, actions = machine.step(child, machine.Kill("over memory_hard", wanted=True), now)
    assert (killing.state, killing.wanted, actions) == (State.KILLING, child.wanted, (Action.KILL,))


@given(_in(set(State) - GONE), seconds)
def test_a_new_process_has_been_asked_nothing(child: Child, now: float) -> None:
    spawning, _ = machine.step(child, machine.Ended(Again(now), TIMEOUT), now)
    assert not spawning.termed


@given(_in([State.DRAINING]), seconds)
def test_a_drain_that_is_killed_at_its_deadline_says_so(child: Child, now: float) -> None:
    killing, _ = machine.step(child, machine.Timeout(TIMEOUT), now)
    assert killing.reason == f"not finished at the deadline ({child.reason})"


@dataclass
class World:
    """A child with the process behind it, as the nursery would drive them; checks its promises after every event."""

    rng: random.Random
    child: Child = field(default_factory=Child)
    now: float = 0.0
    processes: int = 0
    """Requested, and not ended."""
    announced: bool = False
    forbidden: bool = False
    """Told to stop for good, and not started since."""
    terms: int = 0
    failures: Failures = field(default_factory=Failures)

    def feed(self, event: Event) -> None:
        before = self.child
        if isinstance(event, machine.Start):
            self.forbidden = False
        elif isinstance(event, machine.Stop | machine.Kill) and not event.wanted:
            self.forbidden = True
        self.child, actions = machine.step(self.child, event, self.now)
        for action in actions:
            self._perform(action)
        assert self.processes <= 1
        assert (self.processes == 0) == (self.child.state in GONE)
        assert self.announced == (self.child.state in ALIVE)
        if self.child.state is State.KILLING and before.state is not State.KILLING:
            assert Action.KILL in actions

    def _perform(self, action: Action) -> None:
        if action is Action.SPAWN:
            assert not self.forbidden
            assert self.processes == 0
            self.processes, self.terms = 1, 0
        elif action is Action.HANG_UP:
            assert not self.announced
        else:
            assert self.announced, f"{action} without a pidfd"
            if action is Action.TERM:
                self.terms += 1
                assert self.terms == 1

    def end(self, *, steady: bool, permanent: bool, asked: bool) -> None:
        self.processes, self.announced = 0, False
        end = End(self.child.wanted, asked, steady, "bad handler" if permanent else None)
        plan, self.failures = plan_restart(RestartPolicy(), self.failures, end, self.now, self.rng)
        self.feed(machine.Ended(plan, TIMEOUT))

    def possible(self, kind: type[Event]) -> bool:
        """Whether the world can produce `kind` now; what it can produce must not be illegal."""
        alive = self.child.state in ALIVE
        return {
            machine.Announced: self.child.state is State.SPAWNING,
            machine.Booted: alive,
            machine.GateOpened: self.child.state is State.BARRIER,
            machine.Ready: alive and self.child.state is not State.BOOTING and self.child.state is not State.BARRIER,
            machine.Hang: alive,
            machine.Ended: self.processes == 1,
            machine.Timeout: self.child.deadline is not None,
        }.get(kind, True)


@given(st.data(), st.integers(0, 2**32), st.lists(st.sampled_from(EVENTS), max_size=60))
def test_no_history_has_two_processes_or_brings_back_who_shall_stay_down(
    data: st.DataObject, seed: int, history: list[type[Event]]
) -> None:
    world = World(random.Random(seed))
    for kind in history:
        if not world.possible(kind):
            continue
        if kind is machine.Ended:
            flags = {name: data.draw(st.booleans()) for name in ("steady", "permanent", "asked")}
            world.end(**flags)
            continue
        if kind is machine.Timeout:
            assert world.child.deadline is not None
            world.now = max(world.now, world.child.deadline)
        if kind is machine.Announced:
            world.announced = True
        world.feed(data.draw(EVENT_OF[kind]))


@given(st.integers(0, 2**32), st.sampled_from(State), st.booleans(), st.floats(0.1, 30))
def test_a_stop_ends_whatever_the_child_was_doing(seed: int, state: State, deaf: bool, budget: float) -> None:
    timed = {State.SPAWNING, State.BOOTING, State.DUMPING, State.TERMINATING, State.DRAINING, State.BACKOFF}
    deadline = 10.0 if state in timed else None
    there = state in ALIVE
    world = World(random.Random(seed), Child(state, 0.0, deadline, wanted=True), processes=int(state not in GONE))
    world.announced = there
    world.feed(machine.Stop(budget, wanted=False, reason="stopping"))
    if not deaf and world.child.state is State.DRAINING:
        world.end(steady=True, permanent=False, asked=True)
    elif world.child.state is not State.DOWN:
        while world.child.deadline is not None:
            world.now = max(world.now, world.child.deadline)
            world.feed(machine.Timeout(TIMEOUT))
        assert world.now <= max(budget, 10.0) + STACKS_SECONDS + TERM_SECONDS
        assert world.child.state in {State.KILLING, State.LOST, State.HELD, State.DOWN}
        if world.processes:
            world.end(steady=True, permanent=False, asked=False)
    assert world.child.state is State.DOWN
