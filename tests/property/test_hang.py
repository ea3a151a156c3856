"""Hangs: only what is over its own limit is one, and who is inside the handler is judged by that call alone."""

from hypothesis import given
from hypothesis import strategies as st

from kherd.supervisor.decide.hang import REVOKE_SECONDS, SILENT_SECONDS, Call, Sight, name_hang

seconds = st.floats(0, 100)
calls = st.lists(st.builds(Call, st.just("orders[1]@7"), seconds), max_size=3)
sights = st.builds(Sight, calls, st.none() | seconds, seconds)


@given(sights, st.floats(0.1, 100))
def test_a_hang_is_what_is_over_its_own_limit(sight: Sight, timeout: float) -> None:
    late = [call for call in sight.calls if call.seconds > timeout]
    revoking = sight.revoking is not None and sight.revoking > REVOKE_SECONDS
    silent = not sight.calls and sight.revoking is None and sight.silent > SILENT_SECONDS
    assert (name_hang(sight, timeout) is not None) == bool(late or revoking or silent)


@given(st.floats(0, 19), st.floats(0, 1e6))
def test_who_is_busy_is_spared_however_silent(busy: float, silent: float) -> None:
    assert name_hang(Sight([Call("orders[1]@7", busy)], None, silent), 20.0) is None


@given(st.floats(0, REVOKE_SECONDS), st.floats(0, 1e6))
def test_who_commits_for_a_revocation_is_silent_meanwhile(revoking: float, silent: float) -> None:
    assert name_hang(Sight([], revoking, silent), 20.0) is None


def test_a_hang_says_what_and_where_and_for_how_long() -> None:
    late = name_hang(Sight([Call("orders[1]@7", 1), Call("orders[2]@9", 21)], None, 0), 20.0)
    assert late == "the handler has been at orders[2]@9 for 21.0 s, over handler_timeout 20 s"
    assert name_hang(Sight([], 10.5, 0), 20.0) == "committing for a revocation has taken 10.5 s"
    assert name_hang(Sight([], None, 16), 20.0) == "nothing has been seen of it for 16.0 s, outside the handler"
