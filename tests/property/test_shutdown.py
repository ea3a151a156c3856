"""The daemon's life: a total table, forward only, and every stop ends with the right exit code."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from kherd.supervisor.decide import shutdown
from kherd.supervisor.decide.shutdown import EVENTS, IGNORE, TRANSITIONS, Action, Daemon, Event, Move, State
from kherd.worker.exits import Exit

seconds = st.floats(0, 1000, allow_nan=False)
codes = st.sampled_from([Exit.DONE, Exit.GAVE_UP, Exit.CONFIG])
EVENT_OF: dict[type[Event], st.SearchStrategy[Any]] = {
    shutdown.StopAsked: st.builds(shutdown.StopAsked, seconds, st.just("SIGTERM"), codes),
    shutdown.StopNow: st.just(shutdown.StopNow("SIGQUIT")),
    shutdown.QuietToggled: st.just(shutdown.QuietToggled()),
    shutdown.DeadlinePassed: st.just(shutdown.DeadlinePassed()),
    shutdown.AllDown: st.just(shutdown.AllDown()),
}
daemons = st.builds(Daemon, st.sampled_from(State), st.none() | seconds, codes, st.just("SIGTERM"))
events = st.sampled_from(EVENTS).flatmap(EVENT_OF.__getitem__)
ORDER = (State.RUNNING, State.STOPPING, State.KILLING, State.STOPPED)


def _rank(state: State) -> int:
    return 0 if state is State.QUIET else ORDER.index(state)


def test_every_state_and_event_is_in_the_table() -> None:
    assert set(TRANSITIONS) == {(state, event) for state in State for event in EVENTS}
    assert set(EVENTS) == set(EVENT_OF)
    assert all(isinstance(cell, Move) or cell == IGNORE for cell in TRANSITIONS.values())


@given(daemons, events, seconds)
def test_a_step_leads_only_where_its_cell_says_and_never_back(daemon: Daemon, event: Event, now: float) -> None:
    cell = TRANSITIONS[(daemon.state, type(event))]
    after, actions = shutdown.step(daemon, event, now)
    assert _rank(after.state) >= _rank(daemon.state)
    if isinstance(cell, Move):
        assert after.state in cell.to
    else:
        assert (after, actions) == (daemon, ())


@given(st.lists(events, max_size=30))
def test_workers_are_drained_once_and_killed_once(history: list[Event]) -> None:
    daemon, done = Daemon(), list[Action]()
    for now, event in enumerate(history):
        daemon, actions = shutdown.step(daemon, event, float(now))
        done += actions
    assert done.count(Action.DRAIN_ALL) <= 1
    assert done.count(Action.KILL_ALL) <= 1
    ends = [action for action in done if action in {Action.DRAIN_ALL, Action.KILL_ALL}]
    assert ends != [Action.KILL_ALL, Action.DRAIN_ALL]
    quiet = [action for action in done if action in {Action.QUIET_ON, Action.QUIET_OFF}]
    assert quiet == ([Action.QUIET_ON, Action.QUIET_OFF] * len(quiet))[: len(quiet)]


@given(st.lists(events, max_size=20), seconds, seconds)
def test_a_stop_always_ends_whatever_came_before(history: list[Event], now: float, budget: float) -> None:
    daemon = Daemon()
    for event in history:
        daemon, _ = shutdown.step(daemon, event, now)
    daemon, _ = shutdown.step(daemon, shutdown.StopAsked(budget, "SIGTERM"), now)
    assert daemon.state not in {State.RUNNING, State.QUIET}
    daemon, _ = shutdown.step(daemon, shutdown.DeadlinePassed(), now + budget)
    assert daemon.state in {State.KILLING, State.STOPPED}
    daemon, actions = shutdown.step(daemon, shutdown.AllDown(), now + budget)
    assert (daemon.state, daemon.deadline, actions) == (State.STOPPED, None, ())


@given(codes, seconds, st.sampled_from(["down", "late", "again", "now"]))
def test_the_exit_code_tells_how_the_stop_went(code: Exit, now: float, how: str) -> None:
    daemon, actions = shutdown.step(Daemon(), shutdown.StopAsked(10, "why", code), now)
    assert (daemon.deadline, actions) == (now + 10, (Action.DRAIN_ALL,))
    event: dict[str, Event] = {
        "late": shutdown.DeadlinePassed(),
        "again": shutdown.StopAsked(10, "SIGTERM"),
        "now": shutdown.StopNow("SIGQUIT"),
    }
    if how != "down":
        daemon, actions = shutdown.step(daemon, event[how], now + 5)
        assert actions == (Action.KILL_ALL,)
        assert daemon.reason == ("why" if how == "late" else event[how].reason)  # type: ignore[union-attr] # only those two have one
    daemon, _ = shutdown.step(daemon, shutdown.AllDown(), now + 5)
    late = how == "late" and code is Exit.DONE
    assert daemon.code is (Exit.KILLED_AT_DEADLINE if late else code)


@given(seconds)
def test_a_stop_at_once_needs_no_stop_before_it(now: float) -> None:
    daemon, actions = shutdown.step(Daemon(State.QUIET), shutdown.StopNow("SIGQUIT"), now)
    assert (daemon.state, daemon.deadline, daemon.reason, actions) == (
        State.KILLING,
        None,
        "SIGQUIT",
        (Action.KILL_ALL,),
    )
