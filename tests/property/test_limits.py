"""Limits: nothing is replaced early or for nothing, what is over memory_hard is killed, and memory goes first."""

from dataclasses import replace

from hypothesis import assume, given
from hypothesis import strategies as st

from kherd.supervisor.decide.limits import (
    MAX_AGE,
    MAX_RECORDS,
    MEMORY_REST,
    MEMORY_SOFT,
    RECORDS_REST,
    Doomed,
    Facts,
    Policy,
    Spared,
    State,
    Worn,
    judge,
    size,
    soft_limit,
)

MIB = 2**20
sizes = st.integers(8 * MIB, 4096 * MIB)
draws = st.floats(0, 1, exclude_max=True)
jitters = st.floats(0, 0.5)
ages = st.floats(0, 10_000)


@st.composite
def policies(draw: st.DrawFn) -> Policy:
    """Return limits as the configuration allows them."""
    soft, hard = draw(st.none() | sizes), draw(st.none() | sizes)
    if soft is not None and hard is not None and soft >= hard:
        hard = soft + 1
    return Policy(
        soft, hard, draw(st.none() | st.integers(1, 10**6)), draw(st.none() | st.floats(10, 5000)), draw(jitters)
    )


states = st.builds(
    State, draws, st.sampled_from([None, MEMORY_SOFT, MAX_RECORDS, MAX_AGE]), st.none() | sizes, st.booleans()
)
facts = st.builds(Facts, ages, st.none() | ages, st.integers(0, 2 * 10**6), st.none() | sizes)


@given(policies(), states, facts)
def test_who_is_over_memory_hard_is_killed_whatever_it_does_and_nobody_else_is(
    policy: Policy, state: State, facts: Facts
) -> None:
    _, verdict = judge(policy, state, facts)
    hard = policy.memory_hard is not None and facts.memory is not None and facts.memory > policy.memory_hard
    assert isinstance(verdict, Doomed) == hard


@given(policies(), states, facts)
def test_nothing_is_replaced_before_it_is_ready_or_below_a_configured_limit(
    policy: Policy, state: State, facts: Facts
) -> None:
    _, verdict = judge(policy, state, facts)
    if not isinstance(verdict, Worn):
        return
    assert facts.ready is not None
    assert verdict.reason.startswith(verdict.limit)
    assert verdict.urgency > 0
    if verdict.limit == MEMORY_SOFT:
        assert facts.memory is not None
        assert facts.memory > (policy.memory_soft or 0)
    elif verdict.limit == MAX_RECORDS:
        assert facts.records >= (policy.max_records or 0)
    else:
        assert facts.age >= (policy.max_age or 0)


@given(policies(), draws, facts)
def test_what_is_over_a_limit_and_the_jitter_is_worn_unless_a_rest_forbids_it(
    policy: Policy, draw: float, facts: Facts
) -> None:
    assume(facts.ready is not None)
    most = 1 + policy.jitter
    old = policy.max_age is not None and facts.age >= policy.max_age * most
    much = policy.max_records is not None and facts.records >= policy.max_records * most
    large = policy.memory_soft is not None and facts.memory is not None and facts.memory > policy.memory_soft * most
    doomed = policy.memory_hard is not None and facts.memory is not None and facts.memory > policy.memory_hard
    _, verdict = judge(policy, State(draw, baseline=0), facts)
    if (old or much or large) and not doomed:
        assert isinstance(verdict, Worn)


@given(sizes, st.integers(1, 2**32), jitters, draws)
def test_a_drawn_limit_leaves_room_below_memory_hard(soft: int, more: int, jitter: float, draw: float) -> None:
    drawn = soft_limit(Policy(soft, soft + more, jitter=jitter), draw)
    assert drawn is not None
    assert soft <= drawn <= soft + more / 2


@given(facts, draws)
def test_without_limits_nothing_ever_happens(facts: Facts, draw: float) -> None:
    assert judge(Policy(), State(draw), facts)[1] is None
    assert not Policy().limiting


@given(st.floats(0, 2 * MEMORY_REST), sizes, draws)
def test_a_limit_below_what_a_worker_needs_is_told_once_and_leads_to_no_loop(
    ready: float, soft: int, draw: float
) -> None:
    # Given a process that is over the limit as soon as it is ready
    policy, facts = Policy(soft), Facts(ready, 0.0, 0, 2 * soft)
    state, verdict = judge(policy, State(draw), facts)
    assert isinstance(verdict, Spared)
    assert state.baseline == 2 * soft
    # Then it is left alone for the rest, silently, and replaced after it
    state, verdict = judge(policy, state, replace(facts, ready=ready))
    assert isinstance(verdict, Worn) if ready >= MEMORY_REST else verdict is None


@given(st.floats(0, 2 * MEMORY_REST), sizes, draws)
def test_who_grows_over_it_is_replaced_at_once_but_its_successor_not_so_soon(
    ready: float, soft: int, draw: float
) -> None:
    policy = Policy(soft)
    for follows, at_once in ((None, True), (MAX_AGE, True), (MEMORY_SOFT, ready >= MEMORY_REST)):
        state, verdict = judge(policy, State(draw, follows), Facts(1.0, 0.0, 0, soft // 2))
        assert verdict is None
        _, verdict = judge(policy, state, Facts(ready, ready, 0, 2 * soft))
        assert isinstance(verdict, Worn if at_once else Spared)


@given(st.floats(0, 2 * RECORDS_REST), st.sampled_from([None, MAX_RECORDS]))
def test_a_slot_is_not_replaced_for_records_all_the_time(ready: float, follows: str | None) -> None:
    _, verdict = judge(Policy(max_records=1), State(0.0, follows), Facts(ready, ready, 10**6))
    assert isinstance(verdict, Worn) == (follows is None or ready >= RECORDS_REST)


@given(draws)
def test_memory_goes_before_records_and_records_before_age_and_the_most_before_the_less(draw: float) -> None:
    policy, state = Policy(100 * MIB, None, 100, 100.0), State(draw, baseline=0)
    tired = Facts(1000, 1000)
    found = [
        judge(policy, state, facts)[1]
        for facts in (
            tired,
            replace(tired, age=10_000.0),
            replace(tired, records=1000),
            replace(tired, records=10_000),
            replace(tired, memory=400 * MIB),
            replace(tired, memory=800 * MIB, records=10_000),
        )
    ]
    urgencies = [verdict.urgency for verdict in found if isinstance(verdict, Worn)]
    assert len(urgencies) == len(found)
    assert urgencies == sorted(set(urgencies))


def test_a_reason_says_how_much_over_what() -> None:
    full = Facts(700.4, 700.0, 120, 1288490189)
    _, doomed = judge(Policy(memory_hard=2**30), State(0.0), full)
    assert doomed == Doomed("memory_hard: 1.2 GiB PSS over 1 GiB")
    _, worn = judge(Policy(memory_soft=300 * MIB), State(0.0, baseline=0), full)
    assert isinstance(worn, Worn)
    assert worn.reason == "memory_soft: 1.2 GiB PSS over 300 MiB"
    _, worn = judge(Policy(max_records=100), State(0.5), full)
    assert isinstance(worn, Worn)
    assert worn.reason == "max_records: 120 records, at 105"
    _, worn = judge(Policy(max_age=600.0), State(0.5), full)
    assert isinstance(worn, Worn)
    assert worn.reason == "max_age: 700 s old, at 630 s"


def test_sizes_are_told_in_mib_and_gib() -> None:
    assert [size(one) for one in (8 * MIB, 1023.5 * MIB, 2**30, 1.25 * 2**30)] == [
        "8 MiB",
        "1023.5 MiB",
        "1 GiB",
        "1.25 GiB",
    ]
