"""Lost time: no limit runs while the supervisor does not, except for the end that a stop has promised."""

from hypothesis import given
from hypothesis import strategies as st

from kherd.supervisor.decide.child import Child, State
from kherd.supervisor.decide.suspension import Gap, lived, postpone

steps = st.lists(st.tuples(st.floats(0, 100), st.booleans()), min_size=1, max_size=20)
children = st.builds(Child, st.sampled_from(State), st.floats(0, 100), st.none() | st.floats(0, 100))


@given(steps, st.integers(0, 19))
def test_what_has_been_lived_is_the_time_in_which_the_supervisor_ran(
    steps: list[tuple[float, bool]], start: int
) -> None:
    # Given time in pieces, in some of which the supervisor did not run, and something that begins with one of them
    now, since, ran = 0.0, None, 0.0
    gaps: list[Gap] = []
    for index, (seconds, suspended) in enumerate(steps):
        if index == start:
            since, ran = now, 0.0
        now += seconds
        if suspended:
            gaps.append(Gap(now, seconds))
        else:
            ran += seconds
    if since is not None:
        assert abs(lived(since, now, gaps) - ran) < 1e-6


@given(st.floats(0, 50), st.floats(0, 50), st.floats(0, 50))
def test_of_a_gap_that_had_begun_before_only_the_rest_counts(before: float, within: float, after: float) -> None:
    since = 100.0 + before
    gap = Gap(since + within, before + within)
    assert abs(lived(since, since + within + after, [gap]) - after) < 1e-6


@given(st.floats(0, 100), st.lists(st.builds(Gap, st.floats(0, 200), st.floats(0, 200)), max_size=5))
def test_nothing_has_lived_for_less_than_no_time_or_for_more_than_there_was(since: float, gaps: list[Gap]) -> None:
    assert 0 <= lived(since, since + 50, gaps) <= 50.000001


@given(children, st.floats(3, 1000), st.booleans())
def test_a_deadline_gets_the_lost_time_back_unless_a_stop_promised_it(
    child: Child, seconds: float, stopping: bool
) -> None:
    after = postpone(child, seconds, stopping=stopping)
    kept = child.deadline is None or child.state is State.BACKOFF or (stopping and child.state is State.DRAINING)
    assert after.deadline == (child.deadline if kept else (child.deadline or 0.0) + seconds)
    assert (after.state, after.since, after.wanted) == (child.state, child.since, child.wanted)
