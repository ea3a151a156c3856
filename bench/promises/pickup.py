"""How soon a record is in the handler, at rates far below the maximum, beside a bare poll()."""

import random
from collections.abc import Sequence
from dataclasses import replace
from itertools import product
from typing import Any, Final, Literal

from ..jobs import PickupJob
from ..spread import Verdict
from .promise import Found, Promise, judge
from .stage import ACCOUNT, Extent, Stage, Step

NAME: Final = "pickup"
FULL, QUICK = 10, 3
RATES: Final = {100: 5.0, 1000: 2.5}
"""Records per second -> seconds of a trial."""
QUANTILES: Final = ("p50", "p99")
RATIO: Final = 1.1
SLACK: Final = 0.0002
"""Seconds that it may be later, whatever the ratio."""
PARTITIONS: Final = 4
SIZE: Final = 100
CONTENDERS: Final[tuple[Literal["poll", "record"], ...]] = ("poll", "record")
Latencies = dict[str, list[float]]
"""Quantile -> seconds, a value per round."""


def _promise(rate: int, share: str) -> Promise:
    return Promise(
        f"pickup-{rate}-{share}",
        f"at {rate:,} records/s a record is in the handler at most 1.1 times as late, or 0.2 ms later, by its {share}",
        "a loop over poll(), same settings; late: since the moment it was due to be sent",
        RATIO,
        "x",
    )


PROMISES: Final = tuple(_promise(rate, share) for rate, share in product(RATES, QUANTILES))


def steps(extent: Extent, rng: random.Random) -> list[Step]:
    """Every contender once at each rate per round, in an order drawn anew."""
    cells = [(rate, name) for rate in RATES for name in CONTENDERS]
    return [
        Step(
            f"{NAME}: {name} at {rate:,}/s, round {number}",
            ACCOUNT + RATES[rate] / (2 if extent.quick else 1),
            name,
            rate,
        )
        for number in range(1, extent.rounds + 1)
        for rate, name in rng.sample(cells, k=len(cells))
    ]


def measure(stage: Stage, steps: Sequence[Step]) -> list[Found]:
    """Send and note, by turns."""
    found: dict[tuple[int, str], Latencies] = {
        (rate, name): {share: [] for share in QUANTILES} for rate in RATES for name in CONTENDERS
    }
    for step in steps:
        with stage.step(step) as words, stage.place.topic(PARTITIONS) as topic:
            late = stage.trial(_job(stage, topic, step), step.seconds)
            for share in QUANTILES:
                found[step.count, step.part][share].append(late[share])
            words.append(f"p50 {late['p50'] * 1000:.2f} ms, p99 {late['p99'] * 1000:.2f} ms")
    return [
        judged(promise, found[rate, "record"][share], found[rate, "poll"][share], stage.rng)
        for promise, (rate, share) in zip(PROMISES, product(RATES, QUANTILES), strict=True)
    ]


def judged(promise: Promise, ours: Sequence[float], theirs: Sequence[float], rng: random.Random) -> Found:
    """Judge a quantile of each round of both, paired by round: either its ratio or its difference has to be kept."""
    pairs = list(zip(ours, theirs, strict=False))
    ratio = judge(promise, [a / b for a, b in pairs], "median", rng)
    later = judge(replace(promise, limit=SLACK, unit="s"), [a - b for a, b in pairs], "median", rng)
    details: dict[str, Any] = {"seconds": list(ours), "rival_seconds": list(theirs)}
    if later.measured is not None:
        details["later_by"] = {"median": later.measured.value, "low": later.measured.low, "high": later.measured.high}
    return replace(ratio, verdict=either(ratio.verdict, later.verdict), details=details)


def either(one: Verdict, other: Verdict) -> Verdict:
    """Return what is to be said if one of two has to be kept."""
    if "met" in {one, other}:
        return "met"
    return one if one == other else "inconclusive"


def _job(stage: Stage, topic: str, step: Step) -> PickupJob:
    seconds = step.seconds - ACCOUNT
    return PickupJob(
        "poll" if step.part == "poll" else "record",
        stage.place.cluster.bootstrap,
        topic,
        PARTITIONS,
        step.count,
        seconds,
        SIZE,
        stage.place.embedded,
        "consumer",
        stage.properties(),
        folder="",
    )
