"""Evidence for an outage: failures of different records with little between them; a rare bug is not enough for long."""

from functools import reduce

from hypothesis import given
from hypothesis import strategies as st

from kherd.supervisor.decide.spread import (
    RECENT,
    Evidence,
    Policy,
    failed,
    is_doubtful,
    is_outweighed,
    is_spread,
    passed,
)

POLICY = Policy()
steps = st.lists(
    st.one_of(st.tuples(st.just("passed"), st.integers(0, 100)), st.tuples(st.just("failed"), st.integers(0, 20)))
)


def run(events: list[tuple[str, int]], policy: Policy = POLICY) -> Evidence:
    def take(evidence: Evidence, event: tuple[str, int]) -> Evidence:
        what, number = event
        return passed(policy, evidence, number) if what == "passed" else failed(policy, evidence, ("t", number))

    return reduce(take, events, Evidence())


@given(steps)
def test_evidence_stays_within_its_bounds_and_its_memory_too(events: list[tuple[str, int]]) -> None:
    evidence = run(events)
    assert 0.0 <= evidence.score <= 2 * POLICY.proof
    assert len(evidence.recent) <= RECENT
    assert is_outweighed(evidence) == (evidence.score == 0.0)
    assert evidence.records * POLICY.failed >= evidence.score
    assert not (is_spread(POLICY, evidence) and is_outweighed(evidence))


@given(steps, st.integers(0, 50), st.integers(0, 50))
def test_it_does_not_matter_in_how_many_steps_the_handled_ones_are_told(
    events: list[tuple[str, int]], one: int, other: int
) -> None:
    evidence = run(events)
    stepwise = passed(POLICY, passed(POLICY, evidence, one), other)
    assert abs(stepwise.score - passed(POLICY, evidence, one + other).score) < 1e-9


@given(steps)
def test_more_that_is_handled_never_speaks_for_an_outage_and_one_more_failure_never_against(
    events: list[tuple[str, int]],
) -> None:
    evidence = run(events)
    assert passed(POLICY, evidence, 1).score <= evidence.score
    assert failed(POLICY, evidence, ("t", "another")).score >= evidence.score


@given(steps, st.integers(0, 20))
def test_a_record_that_fails_again_is_no_further_evidence(events: list[tuple[str, int]], number: int) -> None:
    once = failed(POLICY, run(events), ("t", number))
    assert failed(POLICY, once, ("t", number)) == once


def test_four_records_that_fail_with_hardly_any_between_are_an_outage_and_three_are_not() -> None:
    for between in range(2):
        events = [event for number in range(4) for event in (("failed", number), ("passed", between))]
        assert not is_spread(POLICY, run(events[:-3]))
        assert is_spread(POLICY, run(events[:-1]))
    apart = [event for number in range(4) for event in (("failed", number), ("passed", 2))]
    assert not is_spread(POLICY, run(apart))


@given(st.integers(10, 1000), st.integers(1, 300))
def test_one_bad_record_in_ten_or_fewer_evenly_spread_is_never_an_outage(between: int, records: int) -> None:
    events = [event for number in range(records) for event in (("failed", number), ("passed", between))]
    evidence = run(events)
    assert is_outweighed(evidence)


@given(steps)
def test_whatever_is_an_outage_is_doubtful_and_what_is_outweighed_is_not(events: list[tuple[str, int]]) -> None:
    evidence = run(events)
    assert is_doubtful(evidence) or not is_spread(POLICY, evidence)
    assert not (is_doubtful(evidence) and is_outweighed(evidence))


def test_the_first_failure_of_all_is_doubtful_and_one_more_of_a_known_kind_is_not_but_two_are() -> None:
    assert is_doubtful(run([("failed", 1)]))
    known = [("failed", 1), ("passed", 50), ("failed", 2)]
    assert not is_doubtful(run(known))
    assert is_doubtful(run([*known, ("failed", 3)]))


def test_whatever_was_gathered_a_hundred_that_are_handled_outweigh_it() -> None:
    evidence = run([("failed", number) for number in range(1000)])
    assert is_spread(POLICY, evidence)
    assert is_outweighed(passed(POLICY, evidence, 100))
