"""What trials come to: no figure that does not add up, and no comparison that the machine does not allow."""

from itertools import pairwise
from typing import Any

import pytest

from kherd.bench.readers import consume_rows
from kherd.bench.summary import (
    drift_of,
    fault_rows,
    paced_rows,
    rate_rows,
    same_as_one,
    verdict_of,
)

from ..fakes.benchresult import ALL, ONE, consume, paced, rate, result

ROUNDS = (1, 2, 3)


def rates(controls: list[int], speed: int, **counts: Any) -> list[dict[str, Any]]:
    made = [rate(ONE, number, records, control=True) for number, records in enumerate(controls, 1)]
    return made + [rate(ALL, number, speed, **counts) for number in ROUNDS]


def test_a_row_has_the_median_of_its_trials_and_none_of_the_controls() -> None:
    one, both = rate_rows(result())
    assert one.speed is not None
    assert (one.speed.median, one.speed.low, one.speed.high) == (101, 100.5, 101.5)
    assert both.cell.label == ALL
    assert both.to_control is not None
    assert both.to_control.median == pytest.approx(102 / 200)


def test_a_trial_that_does_not_add_up_gives_no_throughput() -> None:
    (row,) = rate_rows(result(rate=rates([200] * 4, 100, delivered=99)))
    assert (row.speed, row.cpu, row.to_control) == (None, None, None)
    assert (row.sums.trials, row.sums.unaccounted) == (3, 3)


def test_a_loss_and_a_surplus_are_told_apart() -> None:
    (lost,) = rate_rows(result(rate=rates([200] * 4, 100, written=90)))
    assert (lost.sums.lost, lost.sums.surplus, lost.sums.unaccounted) == (30, 0, 0)
    (surplus,) = rate_rows(result(rate=rates([200] * 4, 100, written=105)))
    assert (surplus.sums.lost, surplus.sums.surplus) == (0, 15)


@pytest.mark.parametrize(
    ("controls", "speed", "verdict"),
    [
        ([200, 200, 200, 200], 100, "slower"),
        ([200, 200, 200, 200], 400, "faster"),
        ([200, 200, 200, 200], 200, "inconclusive"),
        ([200, 200, 160, 160], 100, "inconclusive"),
        ([200, 200, 181, 181], 100, "slower"),
    ],
)
def test_a_control_that_drifted_by_more_than_a_tenth_makes_comparisons_inconclusive(
    controls: list[int], speed: int, verdict: str
) -> None:
    shown = result(rate=rates(controls, speed))
    (row,) = rate_rows(shown)
    assert verdict_of(row, ONE, drift_of(shown)) == verdict


def test_two_rounds_are_too_few_for_a_comparison() -> None:
    trials = [one for one in rates([200] * 3, 100) if one["round"] < 3]
    shown = result(rate=trials)
    (row,) = rate_rows(shown)
    assert verdict_of(row, ONE, drift_of(shown)) == "inconclusive"


def test_the_control_is_not_compared_with_itself() -> None:
    shown = result()
    assert verdict_of(rate_rows(shown)[0], ONE, drift_of(shown)) == ""


def test_latency_is_the_median_of_each_rounds_own_quantile() -> None:
    row = paced_rows(result())[0]
    assert row.quantiles["p99"].median == 0.002
    assert (row.quantiles["p99"].low, row.quantiles["p99"].high) == (0.001, 0.003)
    assert row.rate == 1000


def test_latency_of_a_trial_that_does_not_add_up_is_unknown() -> None:
    (row,) = paced_rows(result(paced=[paced(ONE, 1, 0.1, produced=101)]))
    assert row.quantiles == {}


@pytest.mark.parametrize(
    ("sent", "full", "bound"), [(100, 0.0, "client"), (120, 0.0, "broker"), (100, 0.5, "broker"), (None, 0.0, None)]
)
def test_a_rate_is_bound_by_the_broker_if_the_queue_grew_or_was_full(
    sent: int | None, full: float, bound: str | None
) -> None:
    trials = [{**rate(ALL, number, 100), "sent": sent, "full_share": full} for number in ROUNDS]
    (row,) = rate_rows(result(rate=trials))
    assert row.bound == bound


@pytest.mark.parametrize(("seconds", "kept_up"), [(2.5, True), (2.7, True), (4.0, False)])
def test_a_cell_that_needs_longer_than_its_schedule_did_not_keep_up(seconds: float, kept_up: bool) -> None:
    (row,) = paced_rows(result(paced=[{**paced(ONE, 1, 0.1), "seconds": seconds}]))
    assert row.kept_up is kept_up


def test_losses_are_summed_by_acks_and_kept_for_each_kill() -> None:
    one, idempotent = fault_rows(result())
    assert (one.acks, one.lost, one.losses, one.longest) == ("1", 12, (12,), 5.0)
    assert (idempotent.acks, idempotent.lost, idempotent.duplicated) == ("idempotent", 0, 0)


def test_contenders_are_compared_round_by_round_with_consume() -> None:
    base, record = consume_rows(result())
    assert (base.contender, base.to_base, base.verdict) == ("consume", None, "")
    assert record.to_base is not None
    assert (record.to_base.median, record.verdict) == (1.0, "met")


def test_a_promise_needs_three_rounds() -> None:
    trials = [consume(name, number, 1.0) for name in ("consume", "batch") for number in (1, 2)]
    assert [row.verdict for row in consume_rows(result(consume=trials))] == ["", "inconclusive"]


def test_with_one_copy_all_is_the_same_as_one() -> None:
    one, idempotent = result().cells
    assert same_as_one(idempotent, 1) == "same as acks=1 with RF 1"
    assert same_as_one(one, 1) == same_as_one(idempotent, 3) == ""


def test_rows_keep_the_order_of_the_matrix() -> None:
    shown = result()
    backwards = result(rate=[one.model_dump() for one in reversed(shown.rate)])
    labels = [[row.cell.label for row in rate_rows(one)] for one in (shown, backwards)]
    assert all(one == other for one, other in pairwise(labels))
