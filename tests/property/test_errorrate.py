"""The error rate is that of the calls seen in the last five minutes, whatever the looks, and takes bounded memory."""

import math

from hypothesis import given
from hypothesis import strategies as st

from kherd.supervisor.decide.errorrate import LEAST_CALLS, STEP_SECONDS, WINDOW_SECONDS, Window, look, rate

LOOKS = st.lists(
    st.tuples(
        st.sampled_from([0.0, 0.5, 1.0, 4.99, 5.0, 60.0, 299.0, 1000.0]) | st.floats(0, 400),
        st.integers(0, 300),
        st.integers(0, 300),
    ).map(lambda one: (one[0], one[1], min(one[1], one[2]))),
    max_size=60,
)
"""Seconds since the look before, and what was called and failed meanwhile."""


def after(looks: list[tuple[float, int, int]], began: float = 1000.0) -> tuple[Window, list[tuple[float, int, int]]]:
    """Return the window, and when what was seen."""
    window, now, calls, failed, seen = look(Window(), began, 0, 0), began, 0, 0, []
    for seconds, more, bad in looks:
        now, calls, failed = now + seconds, calls + more, failed + bad
        window = look(window, now, calls, failed)
        seen.append((now, more, bad))
    return window, seen


@given(LOOKS)
def test_it_counts_what_was_seen_in_the_window_to_within_one_step(looks: list[tuple[float, int, int]]) -> None:
    window, seen = after(looks)
    end = seen[-1][0] if seen else 0.0
    calls = sum(step.calls for step in window.steps)
    surely = sum(more for at, more, _ in seen if end - at < WINDOW_SECONDS - STEP_SECONDS)
    perhaps = sum(more for at, more, _ in seen if end - at <= WINDOW_SECONDS)
    assert surely <= calls <= perhaps


@given(LOOKS)
def test_it_is_a_share_and_unknown_only_with_few_calls_of_which_some_failed(
    looks: list[tuple[float, int, int]],
) -> None:
    window, _ = after(looks)
    calls, failed = sum(step.calls for step in window.steps), sum(step.failed for step in window.steps)
    share = rate(window)
    assert (share is None) == (failed > 0 and calls < LEAST_CALLS)
    assert share is None or (0.0 <= share <= 1.0 and math.isclose(share * max(1, calls), failed))


@given(LOOKS)
def test_it_is_bounded_and_in_order(looks: list[tuple[float, int, int]]) -> None:
    window, _ = after(looks)
    numbers = [step.number for step in window.steps]
    assert numbers == sorted(set(numbers))
    assert len(numbers) <= WINDOW_SECONDS / STEP_SECONDS


@given(LOOKS, st.floats(WINDOW_SECONDS + STEP_SECONDS, 1e6))
def test_five_minutes_without_a_call_forget_everything(looks: list[tuple[float, int, int]], seconds: float) -> None:
    window, seen = after(looks)
    assert window.totals is not None
    assert rate(look(window, (seen[-1][0] if seen else 1000.0) + seconds, *window.totals)) == 0.0


@given(LOOKS, st.integers(0, 10**6), st.integers(0, 10**6))
def test_totals_that_begin_anew_are_no_calls(looks: list[tuple[float, int, int]], calls: int, failed: int) -> None:
    window, seen = after(looks)
    lower = look(window, seen[-1][0] if seen else 1000.0, 0, 0)
    assert lower.steps == window.steps
    assert look(Window(), 0.0, calls, failed).steps == ()
