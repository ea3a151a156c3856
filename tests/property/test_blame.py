"""Deaths that kherd wanted, and ends of workers that did nothing, blame nobody; all others blame what was in flight."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kherd.supervisor.decide.blame import ACCUSATIONS, PERIOD, Excuses, blames, excuse
from kherd.supervisor.decide.cause import Facts, name_cause

SIGNALS = ["SIGKILL", "SIGTERM", "SIGSEGV", "SIGABRT", "SIG40"]
facts = st.builds(
    Facts,
    exit_code=st.none() | st.integers(0, 255),
    signal=st.none() | st.sampled_from(SIGNALS),
    killed_for=st.none() | st.just("the deadline"),
    hang=st.none() | st.just("it hangs"),
    memory=st.booleans(),
    asked=st.booleans(),
    oom=st.booleans(),
)


@given(facts)
def test_every_death_blames_somebody_or_nobody(death: Facts) -> None:
    cause = name_cause(death)
    scope = blames(cause.kind, asked=death.asked)
    if cause.kind == "hang":
        assert scope == "late"
    if death.killed_for is not None and death.signal == "SIGKILL" and not (death.hang or death.memory):
        assert scope == "none"
    if death.signal == death.exit_code is None:
        assert scope == "none"
    if death.signal in {"SIGSEGV", "SIGABRT", "SIG40"}:
        assert scope == "all"


@pytest.mark.parametrize(
    ("death", "scope"),
    [
        (Facts(signal="SIGKILL"), "all"),
        (Facts(signal="SIGKILL", asked=True), "none"),
        (Facts(signal="SIGTERM", asked=True), "none"),
        (Facts(signal="SIGKILL", asked=True, oom=True), "all"),
        (Facts(signal="SIGKILL", killed_for="memory_hard", memory=True), "all"),
        (Facts(signal="SIGKILL", killed_for="x", hang="x"), "late"),
        (Facts(signal="SIGSEGV", asked=True), "all"),
        (Facts(exit_code=0), "all"),
        (Facts(exit_code=0, asked=True), "none"),
        (Facts(exit_code=100), "all"),
        (Facts(exit_code=0, asked=True, hang="x"), "late"),
    ],
)
def test_who_is_blamed(death: Facts, scope: str) -> None:
    assert blames(name_cause(death).kind, asked=death.asked) == scope


@given(st.lists(st.tuples(st.booleans(), st.floats(0, PERIOD / 4)), max_size=60))
def test_first_accusations_are_excused_so_often_in_a_period_and_known_suspects_always(
    history: list[tuple[bool, float]],
) -> None:
    excuses, now, excused = Excuses(), 0.0, []
    for known, pause in history:
        now += pause
        excuses, answer = excuse(excuses, known=known, now=now)
        if known:
            assert answer
        elif answer:
            excused.append(now)
        else:
            assert sum(now - at < PERIOD for at in excused) == ACCUSATIONS
        assert sum(now - at < PERIOD for at in excused) <= ACCUSATIONS
        assert len(excuses.recent) <= ACCUSATIONS
