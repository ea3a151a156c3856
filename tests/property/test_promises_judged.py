"""What measurements make of their figures: the machine's speed cancels out, and nothing bad makes them better."""

import random
from itertools import accumulate

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kherd.bench.promises import consume, dynamic, idle, pickup, respawn, takeover, uncommitted
from kherd.bench.promises.killing import Tolls
from kherd.bench.promises.promise import Found
from kherd.bench.promises.watching import Effort, Succession
from kherd.testing.kills import Toll

SPEED = st.floats(1e3, 1e7)
SECONDS = st.floats(1e-5, 1.0)
FEW = settings(max_examples=10)  # 2,000 resamples each
Speeds = dict[str, list[float]]
TOLL = st.builds(
    Toll,
    gap=SECONDS,
    others=SECONDS,
    control=SECONDS,
    again=st.integers(0, 20),
    beyond=st.integers(0, 2),
    others_p99=SECONDS,
    control_p99=SECONDS,
)
TOLLS = st.builds(Tolls, st.lists(TOLL, min_size=3, max_size=10), st.integers(0, 1), st.integers(0, 1))


def rng() -> random.Random:
    return random.Random(0)


def named(found: list[Found]) -> dict[str, Found]:
    return {one.promise.name: one for one in found}


@FEW
@given(st.lists(st.tuples(SPEED, SPEED, SPEED, st.floats(0.1, 10)), min_size=3, max_size=8))
def test_a_machine_that_is_slower_for_a_whole_round_changes_no_ratio(rows: list[tuple[float, ...]]) -> None:
    calm: Speeds = {name: [row[n] for row in rows] for n, name in enumerate(consume.CONTENDERS)}
    busy: Speeds = {name: [row[n] * row[3] for row in rows] for n, name in enumerate(consume.CONTENDERS)}
    for one, other in zip(consume.judged(calm, rng()), consume.judged(busy, rng()), strict=True):
        assert one.measured is not None
        assert other.measured is not None
        assert one.measured.value == pytest.approx(other.measured.value)
        assert one.measured.low == pytest.approx(other.measured.low)


@FEW
@given(st.lists(st.tuples(SECONDS, st.floats(0, 1)), min_size=3, max_size=8))
def test_who_is_never_later_has_kept_its_pickup(rows: list[tuple[float, float]]) -> None:
    theirs = [one for one, _ in rows]
    ours = [one * share or one for one, share in rows]
    assert pickup.judged(pickup.PROMISES[0], ours, theirs, rng()).verdict == "met"


@FEW
@given(st.lists(st.tuples(SPEED, st.integers(0, 10**6), st.integers(0, 10**6)), min_size=3, max_size=8))
def test_each_round_has_to_stay_within_the_bound_of_its_own_rate(rows: list[tuple[float, int, int]]) -> None:
    ends = {
        "batch": [{"rate": rate, "uncommitted": ours} for rate, ours, _ in rows],
        "async": [{"rate": rate, "uncommitted": theirs} for rate, _, theirs in rows],
    }
    bound, share = uncommitted.judged(ends, rng())
    kept = all(ours / (rate * 0.12) <= 1 for rate, ours, _ in rows)
    assert bound.verdict == ("met" if kept else "missed")
    assert share.measured is not None


@FEW
@given(TOLLS, TOLLS, TOLLS)
def test_a_record_that_was_finished_or_a_rebalance_is_never_kept(one: Tolls, two: Tolls, three: Tolls) -> None:
    found = named(takeover.judged({"classic": one, "kip848": two, "batches": three}, rng()))
    assert set(found) == {promise.name for promise in takeover.PROMISES}
    record, batch = found["repeats-record"], found["repeats-batch"]
    assert (record.verdict == "missed") == any(toll.beyond for toll in [*one.each, *two.each])
    assert (batch.verdict == "missed") == any(toll.beyond for toll in three.each)
    for name, tolls in (("classic", one), ("kip848", two)):
        if tolls.rebalances or tolls.disturbed:
            assert found[f"bystanders-{name}"].verdict == "missed"
        worst = max(toll.gap for toll in tolls.each)
        if worst <= 0.1:
            assert found[f"takeover-{name}"].verdict == "met"
        assert found[f"takeover-{name}"].details["worst"] == worst


@given(TOLLS, TOLLS)
def test_kills_that_ended_early_are_never_kept(one: Tolls, two: Tolls) -> None:
    two.problem = "it ended"
    found = named(dynamic.judged({"classic": one, "kip848": two}))
    assert found["takeover-dynamic-kip848"].verdict != "met"
    assert found["takeover-dynamic-kip848"].problem == "it ended"


@FEW
@given(st.lists(st.tuples(SECONDS, SECONDS), min_size=3, max_size=8))
def test_a_respawn_does_not_depend_on_when_the_death_was_noticed(rows: list[tuple[float, float]]) -> None:
    ours = [Succession(reaped, reaped + more) for reaped, more in rows]
    found = respawn.judged(ours, ours, rng())
    assert found.measured is not None
    assert min(more for _, more in rows) - 1e-9 <= found.measured.value <= max(more for _, more in rows) + 1e-9
    assert found.details["rival"]["median"] == found.measured.value


@FEW
@given(st.lists(st.tuples(st.floats(0.5, 2), st.floats(0, 0.5), st.integers(0, 50)), min_size=3, max_size=8))
def test_an_idle_second_is_counted_by_how_long_it_really_was(rows: list[tuple[float, float, int]]) -> None:
    looks = accumulate(
        rows, lambda so_far, row: Effort(so_far.at + row[0], so_far.cpu + row[1], so_far.wakeups + row[2]),
        initial=Effort(0.0, 0.0, 0),
    )  # fmt: skip
    share, wakeups = idle.judged(list(looks), rng())
    assert share.measured is not None
    assert wakeups.measured is not None
    assert share.measured.value == pytest.approx(sum(cpu / seconds for seconds, cpu, _ in rows) / len(rows))
    assert wakeups.measured.value == pytest.approx(sum(count / seconds for seconds, _, count in rows) / len(rows))
