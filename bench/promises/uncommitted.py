"""How much finished work a kill -9 under full load leaves uncommitted: batch mode, beside commits without bound."""

import random
from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal

from ..jobs import SuddenJob
from ..pickups import COMMIT_INTERVAL
from .consume import PARTITIONS, PER_SECOND
from .promise import Found, Promise, judge, judge_each
from .stage import ACCOUNT, Extent, Stage, Step

NAME: Final = "uncommitted"
FULL, QUICK = 6, 3
GRACE: Final = 0.02
"""Seconds beyond the commit interval: what a commit takes."""
BOUND: Final = Promise(
    "uncommitted",
    "at full speed, what is finished and not committed is at most rate x (commit_interval + 20 ms)",
    "none: a bound of its own",
    1.0,
    "of the bound",
)
SHARE: Final = Promise(
    "uncommitted-share",
    "at full speed, what is finished and not committed is at most a tenth of what commits without bound leave",
    "a loop over consume(500) that commits each list asynchronously and waits for none, same topic, same settings",
    0.1,
    "x",
)
PROMISES: Final = (BOUND, SHARE)
RECORDS: Final = 1_000_000
CONTENDERS: Final = ("batch", "async")


def steps(extent: Extent, rng: random.Random) -> list[Step]:
    """Fill a topic; then each round a kill of either contender after as many records, drawn anew."""
    records = RECORDS // 2 if extent.quick else RECORDS
    seconds = ACCOUNT + records / PER_SECOND
    made = [Step(f"{NAME}: fill {records:,} records", 2 * seconds, "fill", records)]
    for number in range(1, extent.rounds + 1):
        until = rng.randint(records // 3, 2 * records // 3)
        made += [
            Step(f"{NAME}: {name} killed after {until:,} records, round {number}", seconds, name, until)
            for name in rng.sample(CONTENDERS, k=len(CONTENDERS))
        ]
    return made


def measure(stage: Stage, steps: Sequence[Step]) -> list[Found]:
    """Have them killed, by turns."""
    ends: dict[str, list[dict[str, Any]]] = {name: [] for name in CONTENDERS}
    with stage.place.topic(PARTITIONS) as topic:
        for step in steps:
            with stage.step(step) as words:
                if step.part == "fill":
                    stage.fill(topic, step)
                else:
                    found = stage.trial(_job(stage, topic, step), step.seconds)
                    ends[step.part].append(found)
                    words.append(f"{found['uncommitted']:,} uncommitted")
    return judged(ends, stage.rng)


def judged(ends: Mapping[str, Sequence[Mapping[str, Any]]], rng: random.Random) -> list[Found]:
    """Judge {"rate": records per second, "uncommitted": records} of each round of both contenders."""
    ours, theirs = ends["batch"], ends["async"]
    bounds = [one["uncommitted"] / (one["rate"] * (COMMIT_INTERVAL + GRACE)) for one in ours]
    # Nothing uncommitted on the other side is not infinitely better of it: one record is the least that is known.
    shares = [a["uncommitted"] / max(1, b["uncommitted"]) for a, b in zip(ours, theirs, strict=False)]
    details = {
        "uncommitted": [one["uncommitted"] for one in ours],
        "rival_uncommitted": [one["uncommitted"] for one in theirs],
    }
    return [judge_each(BOUND, bounds, **details), judge(SHARE, shares, "median", rng, **details)]


def _job(stage: Stage, topic: str, step: Step) -> SuddenJob:
    name: Literal["batch", "async"] = "async" if step.part == "async" else "batch"
    place = stage.place
    return SuddenJob(
        name, place.cluster.bootstrap, topic, step.count, place.embedded, "consumer", stage.properties(), folder=""
    )
