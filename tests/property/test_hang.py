"""Hangs: whatever is over its own limit is one, and nothing else is; who is in the handler is judged by that call."""

from hypothesis import given
from hypothesis import strategies as st

from kherd.supervisor.decide.hang import REVOKE_SECONDS, SILENT_SECONDS, Call, Limits, Sight, name_hang, overdue

LIMITS = Limits(handler=20.0, joining=360.0, commit=180.0, closing=25.0)
LONG = 1e6
seconds = st.floats(0, 1000)
calls = st.lists(st.builds(Call, st.just("orders[1]@7"), st.floats(0, 60)), max_size=3)
maybe = st.none() | seconds
limits = st.builds(Limits, *(st.floats(0.1, 500) for _ in range(4)))
sights = st.builds(Sight, calls, seconds, maybe, maybe, maybe, st.just(0.0) | seconds)


def over(value: float | None, limit: float) -> bool:
    return value is not None and value > limit


@given(sights, limits, seconds)
def test_a_hang_is_what_is_over_its_own_limit(sight: Sight, limits: Limits, answering: float) -> None:
    elsewhere = bool(sight.calls) or sight.revoking is not None or sight.closing is not None
    assert len(overdue(sight, limits)) == sum(call.seconds > limits.handler for call in sight.calls)
    late = [
        any(call.seconds > limits.handler for call in sight.calls),
        over(sight.revoking, REVOKE_SECONDS),
        sight.revoking is None and over(sight.closing, limits.closing),
        not elsewhere and sight.silent > SILENT_SECONDS,
        over(sight.joining, limits.joining) and answering > limits.joining,
        sight.commit > limits.commit and answering > limits.commit,
    ]
    assert (name_hang(sight, limits, answering) is not None) == any(late)


@given(st.floats(0, 20), st.floats(0, LONG))
def test_who_is_busy_is_spared_however_silent(busy: float, silent: float) -> None:
    assert name_hang(Sight([Call("orders[1]@7", busy)], silent), LIMITS, LONG) is None


@given(st.floats(0, REVOKE_SECONDS), st.floats(0, LONG))
def test_who_commits_for_a_revocation_is_silent_meanwhile(revoking: float, silent: float) -> None:
    assert name_hang(Sight([], silent, revoking=revoking), LIMITS, LONG) is None


@given(st.floats(0, LIMITS.closing), st.floats(0, LONG))
def test_a_handler_may_close_for_as_long_as_a_stop_lasts(closing: float, silent: float) -> None:
    assert name_hang(Sight([], silent, closing=closing), LIMITS, LONG) is None


@given(st.floats(0, LONG), st.floats(0, LONG), st.floats(0, LIMITS.commit))
def test_nobody_is_blamed_for_brokers_that_do_not_answer(joining: float, commit: float, answering: float) -> None:
    assert name_hang(Sight([], 0.0, joining=joining, commit=commit), LIMITS, answering) is None


@given(sights, limits, seconds, st.floats(0, 100))
def test_what_hangs_goes_on_hanging(sight: Sight, limits: Limits, answering: float, more: float) -> None:
    if name_hang(sight, limits, answering) is None:
        return
    revoking, closing, joining = (
        None if one is None else one + more for one in (sight.revoking, sight.closing, sight.joining)
    )
    calls = [Call(call.where, call.seconds + more) for call in sight.calls]
    longer = Sight(calls, sight.silent + more, revoking, closing, joining, sight.commit + more)
    assert name_hang(longer, limits, answering + more) is not None


def test_a_hang_says_what_and_where_and_for_how_long() -> None:
    late = name_hang(Sight([Call("orders[1]@7", 1), Call("orders[2]@9", 21)], 0.0), LIMITS, LONG)
    assert late == "the handler has been at orders[2]@9 for 21.0 s, over handler_timeout 20 s"
    found = {
        name_hang(sight, LIMITS, LONG)
        for sight in (
            Sight([], 0.0, revoking=10.5),
            Sight([], 0.0, closing=26),
            Sight([], 16.0),
            Sight([], 0.0, joining=361),
            Sight([], 0.0, commit=181.2),
        )
    }
    assert found == {
        "committing for a revocation has taken 10.5 s",
        "the handler's close has taken 26.0 s, over stop.timeout 25 s",
        "nothing has been seen of it for 16.0 s, outside the handler",
        "the group has not taken it in for 361 s, while brokers answered",
        "a commit has been without an answer for 181 s, while brokers answered others",
    }
