"""Each promise is judged by what was measured of it, and told in one form."""

import json
import os
import random
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from kherd.bench.files import ResultError
from kherd.bench.promises import (
    breaker,
    consume,
    dynamic,
    idle,
    memory,
    pickup,
    report,
    respawn,
    takeover,
    uncommitted,
    waits,
)
from kherd.bench.promises.catalogue import MEASUREMENTS, UnknownNameError, chosen
from kherd.bench.promises.killing import Tolls, portions
from kherd.bench.promises.promise import Found, Promise, judge, judge_each, unmeasured
from kherd.bench.promises.stage import Extent
from kherd.bench.promises.watching import Effort, Succession
from kherd.testing.kills import Toll

RNG = random.Random(0)


def toll(**more: Any) -> Toll:
    calm = {field.name: 0 for field in fields(Toll)}
    return Toll(**{**calm, "gap": 0.05, "others": 0.02, "control": 0.02, **more})


def verdicts(found: list[Found]) -> dict[str, str]:
    return {one.promise.name: one.verdict for one in found}


def lined(**more: Any) -> report.Line:
    promise = Promise("record", "fast", "a loop", 0.8, "x", "at least")
    found = judge(promise, [0.9, 0.95, 1.0], "median", random.Random(0), **more)
    return report.line(found, 12.34)


def whole(*lines: report.Line) -> report.Report:
    return report.Report(
        began="2026-01-01T00:00:00.000Z", command="kherd bench promises", seed=1, environment={"cores": 2},
        promises=list(lines),
    )  # fmt: skip


def test_speeds_are_compared_round_by_round() -> None:
    speeds = {"consume": [100.0, 200.0, 400.0], "record": [90.0, 180.0, 360.0], "batch": [90.0, 210.0, 440.0]}
    record, batch = consume.judged(speeds, RNG)
    assert record.measured is not None
    assert (record.measured.value, record.verdict) == (pytest.approx(0.9), "met")
    assert batch.verdict == "inconclusive"


def test_calls_beside_each_other_are_compared_with_the_same_handler_one_at_a_time() -> None:
    rates = {
        "function": [100.0, 90.0, 100.0],
        "threads": [6000.0, 5400.0, 5800.0],
        "coroutine": [80.0, 80.0, 80.0],
        "coroutines": [3000.0, 2900.0, 3000.0],
    }
    assert verdicts(waits.judged(rates, RNG)) == {"concurrency-threads": "met", "concurrency-coroutines": "missed"}


def test_what_is_uncommitted_is_held_against_rate_and_interval_and_against_the_loop_without_bound() -> None:
    ours = [{"rate": 1_000_000.0, "uncommitted": number} for number in (10_000, 12_000, 119_000)]
    theirs = [{"rate": 1_000_000.0, "uncommitted": 900_000}] * 3
    bound, share = uncommitted.judged({"batch": ours, "async": theirs}, RNG)
    assert bound.measured is not None
    assert bound.measured.value == pytest.approx(119_000 / 120_000)
    assert (bound.verdict, share.verdict) == ("met", "inconclusive")
    none_left = [{"rate": 1.0, "uncommitted": 0}] * 3
    assert verdicts(uncommitted.judged({"batch": none_left, "async": none_left}, RNG))["uncommitted-share"] == "met"


@pytest.mark.parametrize(
    ("ours", "theirs", "said"),
    [
        ([0.00105] * 3, [0.001] * 3, "met"),  # 1.05 times
        ([0.00115] * 3, [0.001] * 3, "met"),  # 1.15 times, but 0.15 ms
        ([0.0013] * 3, [0.001] * 3, "missed"),  # neither
        ([0.0013, 0.0010, 0.0010], [0.001] * 3, "inconclusive"),
    ],
)
def test_a_pickup_may_be_later_by_a_ratio_or_by_a_little(ours: list[float], theirs: list[float], said: str) -> None:
    found = pickup.judged(pickup.PROMISES[0], ours, theirs, RNG)
    assert found.verdict == said
    assert found.details["later_by"]["low"] <= found.details["later_by"]["high"]


def test_a_takeover_is_judged_by_its_p99_and_a_bystander_by_a_calm_window() -> None:
    kills = [toll(gap=0.05)] * 99 + [toll(gap=0.3)]
    tolls = {"classic": Tolls(kills), "kip848": Tolls([toll(others_p99=0.2)] * 3), "batches": Tolls([toll()] * 3)}
    assert verdicts(takeover.judged(tolls, RNG)) == {
        "takeover-classic": "inconclusive",
        "takeover-kip848": "met",
        "bystanders-classic": "met",
        "bystanders-kip848": "missed",
        "repeats-record": "met",
        "repeats-batch": "met",
    }


def test_a_rebalance_is_missed_however_short_the_pauses() -> None:
    found = takeover.judged({name: Tolls([toll()] * 3, rebalances=1) for name in ("classic", "kip848", "batches")}, RNG)
    assert verdicts(found)["bystanders-classic"] == "missed"
    assert found[2].details["rebalances"] == 1


def test_a_single_record_that_was_finished_and_came_again_is_missed() -> None:
    again = Tolls([toll(again=1)] * 5 + [toll(again=2, beyond=1)])
    found = takeover.judged({"classic": again, "kip848": Tolls([toll()] * 3), "batches": Tolls([toll()] * 3)}, RNG)
    repeats = next(one for one in found if one.promise.name == "repeats-record")
    assert repeats.verdict == "missed"
    assert (repeats.details["handled_again"], repeats.details["kills"]) == (7, 9)


def test_every_kill_of_a_dynamic_member_counts() -> None:
    tolls = {"classic": Tolls([toll(gap=2.0)] * 20), "kip848": Tolls([toll(gap=1.0)] * 19 + [toll(gap=11.5)])}
    assert verdicts(dynamic.judged(tolls)) == {"takeover-dynamic-classic": "met", "takeover-dynamic-kip848": "missed"}


def test_kills_that_ended_early_keep_nothing_and_hide_nothing() -> None:
    tolls = {
        "classic": Tolls([toll()] * 20, problem="1 records not handled"),
        "kip848": Tolls([toll(gap=1.0)] * 20, problem="the supervisor ended"),
        "batches": Tolls([toll()] * 20),
    }
    found = takeover.judged(tolls, RNG)
    assert verdicts(found) == {
        "takeover-classic": "inconclusive",
        "takeover-kip848": "missed",
        "bystanders-classic": "inconclusive",
        "bystanders-kip848": "inconclusive",
        "repeats-record": "inconclusive",
        "repeats-batch": "met",
    }
    assert [one.problem for one in found[:2]] == ["1 records not handled", "the supervisor ended"]


def test_kills_without_a_result_say_nothing() -> None:
    found = takeover.judged({name: Tolls() for name in ("classic", "kip848", "batches")}, RNG)
    assert set(verdicts(found).values()) == {"inconclusive"}


def test_a_respawn_is_from_reaped_to_forked_with_the_bare_one_beside_it() -> None:
    found = respawn.judged([Succession(0.001, 0.006)] * 3, [Succession(0.001, 0.002)] * 3, RNG)
    assert found.measured is not None
    assert (found.measured.value, found.verdict) == (pytest.approx(0.005), "met")
    assert found.details["rival"]["median"] == pytest.approx(0.001)


def test_an_idle_supervisor_is_judged_by_means_so_that_what_is_rare_counts_too() -> None:
    looks = [Effort(at=float(n), cpu=0.0002 * n + 0.004 * (n // 5), wakeups=n + 10 * (n // 5)) for n in range(21)]
    share, wakeups = idle.judged(looks, RNG)
    assert share.measured is not None
    assert wakeups.measured is not None
    assert (share.measured.value, wakeups.measured.value) == (pytest.approx(0.001), pytest.approx(3.0))
    assert share.measured.median == pytest.approx(0.0002)
    assert wakeups.measured.n == 20


def test_a_closed_breaker_is_judged_by_what_a_call_costs_more() -> None:
    found = breaker.judged({"extra": [4e-7, 5e-7, 6e-7], "decorated": [7e-7] * 3, "bare": 1e-7}, RNG)
    assert found.measured is not None
    assert (found.measured.value, found.verdict, found.details["decorated"]) == (5e-7, "met", 7e-7)


def test_memory_is_compared_worker_by_worker() -> None:
    small, large = memory.PROMISES
    found = memory.judged(small, [12e6, 10e6, 11e6], [20e6, 22e6, 24e6], RNG, mold=5)
    assert found.measured is not None
    assert (found.measured.value, found.verdict, found.details["mold"]) == (pytest.approx(0.5), "met", 5)
    assert memory.judged(large, [12e6] * 3, [20e6] * 3, RNG).verdict == "missed"
    assert memory.pss(os.getpid()) > 2**20


def test_what_each_value_has_to_keep_is_an_upper_limit() -> None:
    with pytest.raises(ValueError, match="only an upper limit"):
        judge_each(consume.RECORD, [1.0])


def test_names_are_one_namespace_and_every_plan_counts_its_rounds() -> None:
    names = [promise.name for one in MEASUREMENTS for promise in one.PROMISES]
    assert len(set(names)) == len(names)
    for one in MEASUREMENTS:
        steps = one.steps(Extent(50, quick=True), random.Random(0))
        assert all(step.seconds > 0 for step in steps)
        assert len(set(steps)) == len(steps)
        assert steps == one.steps(Extent(50, quick=True), random.Random(0))


def test_promises_are_chosen_by_their_own_name_or_their_measurements() -> None:
    assert [one.NAME for one in chosen(["repeats-batch", "idle", "takeover"])] == ["idle", "takeover"]
    assert chosen([]) == list(MEASUREMENTS)
    with pytest.raises(UnknownNameError, match="no promise is called 'speed'; there are batch, "):
        chosen(["idle", "speed"])


def test_kills_come_in_portions_that_add_up() -> None:
    steps = portions("kills", "classic", 45)
    assert [step.count for step in steps] == [20, 20, 5]
    assert [step.label for step in steps][1:] == ["kills: kills 21 to 40", "kills: kills 41 to 45"]
    assert steps[0].seconds > steps[1].seconds


def test_a_line_has_one_form() -> None:
    document = json.loads(lined(rates=[1.23456789]).text({"cores": 2}))
    assert list(document) == [
        "promise", "version", "statement", "rival", "sense", "limit", "unit", "measured", "verdict", "problem",
        "details", "environment", "seconds",
    ]  # fmt: skip
    assert document["measured"] == {
        "statistic": "median", "value": 0.95, "low": 0.9, "high": 1.0, "median": 0.95, "n": 3,
    }  # fmt: skip
    assert (document["version"], document["verdict"], document["problem"]) == (1, "met", None)
    assert (document["details"], document["seconds"]) == ({"rates": [1.2346]}, 12.3)


def test_what_could_not_be_measured_is_told_with_its_reason() -> None:
    line = report.line(unmeasured(consume.RECORD, "no Java: install one\nlong log"), 0.1)
    assert (line.measured, line.verdict) == (None, "inconclusive")
    assert "inconclusive: no Java: install one |" in report.markdown(whole(line))


def test_a_report_is_read_as_it_was_written(tmp_path: Path) -> None:
    path = tmp_path / "promises.json"
    report.write(whole(lined()), path)
    assert report.read(path) == whole(lined())
    assert "| record | ≥ 0.8 x | 0.95 (median) | 0.9 to 1 | 3 | met |" in report.markdown(report.read(path))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is not JSON"),
        ("[]", 'it has no "format": "kherd-promises"'),
        ('{"format": "kherd-bench", "version": 1}', 'it has no "format": "kherd-promises"'),
        ('{"format": "kherd-promises", "version": 2}', "is of version 2, this kherd reads version 1"),
        ('{"format": "kherd-promises", "version": 1}', "is damaged: began: Field required"),
    ],
)
def test_what_is_no_report_is_refused_with_the_reason(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "promises.json"
    path.write_text(text)
    with pytest.raises(ResultError, match=said):
        report.read(path)


@pytest.mark.parametrize(("value", "shown"), [(0.000201, "0.000201"), (12.345, "12.3"), (123456.0, "123,456")])
def test_figures_have_the_digits_that_mean_something(value: float, shown: str) -> None:
    assert report.figure(value) == shown
