"""A plan has every trial once, in an order that a seed decides, and a control before, between and after."""

import random
from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from kherd.bench.matrix import CONTENDERS, Axes, Consume, Fault, Load, Matrix, cells_of
from kherd.bench.plan import PARTS, control_of, estimate, plan

AXES = st.builds(
    Axes,
    acks=st.lists(st.sampled_from(["0", "1", "all", "idempotent"]), min_size=1, max_size=4).map(tuple),
    linger_ms=st.lists(st.sampled_from([0.0, 5.0]), min_size=1, max_size=2).map(tuple),
)
MATRICES = st.builds(
    Matrix,
    load=st.builds(Load, rounds=st.integers(1, 4)),
    cells=st.lists(AXES, min_size=1, max_size=2).map(tuple),
    fault=st.builds(Fault, trials=st.integers(1, 3)),
    consume=st.builds(Consume, rounds=st.integers(1, 4)),
)
SEEDS = st.integers(0, 2**32)


@given(MATRICES, SEEDS)
def test_every_round_has_every_cell_once_between_two_controls(matrix: Matrix, seed: int) -> None:
    steps = plan(matrix, ["produce"], random.Random(seed))
    labels = [cell.label for cell in cells_of(matrix)]
    for kind in ("rate", "paced"):
        own = [step for step in steps if step.kind == kind]
        rounds = Counter((step.round, step.what) for step in own if not step.control)
        assert rounds == Counter((number, label) for number in range(1, matrix.load.rounds + 1) for label in labels)
        places = [number for number, step in enumerate(own) if step.control]
        assert places == list(range(0, len(own), len(labels) + 1))
        assert {own[place].what for place in places} == {control_of(matrix).label}


@given(MATRICES, SEEDS)
def test_no_latency_is_measured_before_all_maxima_are(matrix: Matrix, seed: int) -> None:
    kinds = [step.kind for step in plan(matrix, PARTS, random.Random(seed))]
    assert kinds == sorted(kinds, key=["rate", "paced", "fault", "fill", "consume"].index)


@given(MATRICES, SEEDS)
def test_every_acks_setting_meets_every_stall_as_often_and_every_contender_every_round(
    matrix: Matrix, seed: int
) -> None:
    steps = plan(matrix, ["fault", "consume"], random.Random(seed))
    faults = Counter((step.what, step.stall) for step in steps if step.kind == "fault")
    acks = {cell.acks for cell in cells_of(matrix)}
    assert faults == {(one, stall): matrix.fault.trials for one in acks for stall in matrix.fault.stalls}
    readers = Counter((step.what, step.round) for step in steps if step.kind == "consume")
    assert readers == {(name, number): 1 for name in CONTENDERS for number in range(1, matrix.consume.rounds + 1)}
    assert [step.kind for step in steps].count("fill") == 1


@given(MATRICES, SEEDS)
def test_a_seed_decides_the_order(matrix: Matrix, seed: int) -> None:
    assert plan(matrix, PARTS, random.Random(seed)) == plan(matrix, PARTS, random.Random(seed))


@given(MATRICES, SEEDS)
def test_the_estimate_grows_with_every_step(matrix: Matrix, seed: int) -> None:
    steps = plan(matrix, PARTS, random.Random(seed))
    assert 0 < estimate(steps[:1]) < estimate(steps)
