"""The breaker's machine: total, one probe at a time whatever is said of others, and always a way back to CLOSED."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from kherd.worker.decide.breaker import (
    EVENTS,
    LONGEST_LEASE,
    NOBODY,
    TRANSITIONS,
    Abandoned,
    Asked,
    Breaker,
    Event,
    Failed,
    Holder,
    Lost,
    Move,
    Policy,
    State,
    Succeeded,
    Tripped,
    after,
    may_try,
    open_for,
    step,
)

policies = st.builds(Policy, st.integers(1, 6), st.floats(0.001, 1000))
holders = st.builds(Holder, st.integers(1, 3), st.integers(1, 2))
probes = st.none() | st.integers(0, 8)
events = st.one_of(
    st.builds(Asked, holders, st.floats(0.1, 100)),
    st.builds(Succeeded, probes),
    st.builds(Failed, probes),
    st.builds(Abandoned, probes),
    st.builds(Lost, holders),
    st.builds(Tripped),
)
times = st.floats(0, 1e6)
breakers = st.builds(
    Breaker,
    state=st.sampled_from(State),
    serial=st.integers(0, 8),
    failures=st.integers(0, 6),
    since=times,
    until=times,
    timeout=st.floats(0.001, 1000),
    holder=holders,
    trips=st.integers(0, 5),
    open_seconds=times,
)


def test_every_pair_has_a_cell() -> None:
    assert TRANSITIONS.keys() == {(state, event) for state in State for event in EVENTS}


@given(breakers, events, times, policies)
def test_a_step_leads_where_the_table_says(breaker: Breaker, event: Event, now: float, policy: Policy) -> None:
    then = step(breaker, event, now, policy)
    cell = TRANSITIONS[(breaker.state, type(event))]
    if isinstance(cell, Move):
        assert then.state in cell.to
    else:
        assert then is breaker


@given(breakers, events, times, policies)
def test_a_serial_number_is_never_used_for_two_things(
    breaker: Breaker, event: Event, now: float, policy: Policy
) -> None:
    then = step(breaker, event, now, policy)
    same = (then.state, then.holder, then.until) == (breaker.state, breaker.holder, breaker.until)
    assert then.serial - breaker.serial in ({0} if then is breaker else {0, 1} if same else {1})


@given(breakers, events, times, policies)
def test_only_the_probe_ends_a_half_open(breaker: Breaker, event: Event, now: float, policy: Policy) -> None:
    half = replace(breaker, state=State.HALF_OPEN)
    then = step(half, event, now, policy)
    if then is half:
        return
    match event:
        case Succeeded(probe) | Failed(probe) | Abandoned(probe):
            assert probe == half.serial
        case Lost(holder):
            assert holder == half.holder
        case Asked():
            assert may_try(half, now)
        case Tripped():
            raise AssertionError(event)


@given(breakers, events, times, policies)
def test_an_open_one_opens_for_nobody_before_its_time(
    breaker: Breaker, event: Event, now: float, policy: Policy
) -> None:
    opened = replace(breaker, state=State.OPEN, until=now + breaker.timeout / 2)
    assert step(opened, event, now, policy) is opened
    assert after(opened, now) == pytest.approx(breaker.timeout / 2, rel=1e-3, abs=1e-6)


@given(st.sampled_from([State.OPEN, State.HALF_OPEN]), breakers, times, holders)
def test_times_of_another_clock_hold_nobody_up(state: State, breaker: Breaker, now: float, holder: Holder) -> None:
    odd = replace(breaker, state=state, until=now + LONGEST_LEASE + breaker.timeout + 2)
    assert step(odd, Asked(holder, 1.0), now, Policy()).state is State.HALF_OPEN


@given(policies, st.lists(st.booleans(), max_size=40))
def test_so_many_failures_in_a_row_open_it_and_a_success_begins_anew(policy: Policy, outcomes: list[bool]) -> None:
    breaker, row = Breaker(), 0
    for good in outcomes:
        breaker = step(breaker, Succeeded() if good else Failed(), 5.0, policy)
        row = 0 if good else row + 1
        if row == policy.failure_threshold:
            assert breaker.state is State.OPEN
            assert (breaker.until, breaker.trips) == (5.0 + policy.timeout, 1)
            return
        assert (breaker.state, breaker.failures) == (State.CLOSED, row)
        assert breaker.quiet == (row == 0)


@given(times, policies, holders)
def test_the_whole_way_round(now: float, policy: Policy, holder: Holder) -> None:
    opened = step(Breaker(), Tripped(), now, policy)
    due = opened.until
    probed = step(opened, Asked(holder, 10.0), due, policy)
    assert (probed.state, probed.holder) == (State.HALF_OPEN, holder)
    assert step(probed, Asked(Holder(9, 9), 10.0), due + 5, policy) is probed
    again = step(probed, Failed(probed.serial), due + 1, policy)
    assert (again.state, again.until, again.trips) == (State.OPEN, due + 1 + policy.timeout, 1)
    probe = step(again, Asked(holder, 10.0), again.until, policy)
    closed = step(probe, Succeeded(probe.serial), again.until + 2, policy)
    assert (closed.state, closed.holder) == (State.CLOSED, NOBODY)
    assert closed.open_seconds == pytest.approx(again.until + 2 - now)
    assert (open_for(closed, 1e9), open_for(probe, again.until)) == (0.0, again.until - now)


@given(holders, st.booleans())
def test_a_probe_that_is_lost_or_says_nothing_leaves_room_for_the_next_at_once(holder: Holder, lost: bool) -> None:
    policy = Policy(1, 60.0)
    probed = step(step(Breaker(), Tripped(), 0.0, policy), Asked(holder, 10.0), 60.0, policy)
    then = step(probed, Lost(Holder(holder.pid, 0)) if lost else Abandoned(probed.serial), 61.0, policy)
    assert then.state is State.OPEN
    assert may_try(then, 61.0)
    assert step(then, Failed(probed.serial), 61.5, policy) is then  # what it comes to later is of no account


class Host(RuleBasedStateMachine):
    """Callers who may be slow, die, or lie about nothing: at most one of those let through is the probe."""

    def __init__(self) -> None:
        super().__init__()
        self.now, self.policy, self.breaker = 0.0, Policy(2, 10.0), Breaker()
        self.probes: dict[int, Holder] = {}
        """Leases that may still count, by number."""

    @rule(seconds=st.floats(0, 30))
    def time_passes(self, seconds: float) -> None:
        self.now += seconds

    @rule(holder=holders)
    def somebody_asks(self, holder: Holder) -> None:
        before, self.breaker = self.breaker, step(self.breaker, Asked(holder, 5.0), self.now, self.policy)
        if self.breaker is not before:
            assert before.state is State.OPEN or self.now >= before.until
            self.probes = {self.breaker.serial: holder}

    @rule(good=st.booleans(), probe=st.none() | st.integers(0, 30))
    def somebody_is_done(self, good: bool, probe: int | None) -> None:
        before = self.breaker
        self.breaker = step(before, Succeeded(probe) if good else Failed(probe), self.now, self.policy)
        if before.state is State.HALF_OPEN and self.breaker.state is not State.HALF_OPEN:
            assert probe in self.probes

    @rule(holder=holders)
    def somebody_dies(self, holder: Holder) -> None:
        self.breaker = step(self.breaker, Lost(holder), self.now, self.policy)

    @invariant()
    def there_is_a_way_back(self) -> None:
        later = self.now + LONGEST_LEASE + 100
        one = step(self.breaker, Asked(Holder(7, 7), 5.0), later, self.policy)
        if one.state is State.HALF_OPEN:
            one = step(one, Succeeded(one.serial), later, self.policy)
        assert one.state is State.CLOSED
        assert (self.breaker.holder == NOBODY) == (self.breaker.state is not State.HALF_OPEN)


TestHost = Host.TestCase
