"""How fast kherd's worker reads a backlog, beside the loop an expert writes by hand."""

import random
from collections.abc import Mapping, Sequence
from typing import Final

from ..jobs import ConsumeJob
from ..matrix import Contender
from .promise import Found, Promise, judge
from .stage import ACCOUNT, Extent, Stage, Step

NAME: Final = "consume"
FULL, QUICK = 12, 3
RIVAL: Final = "a loop over consume(500) with one commit in flight and no handler, same topic, same settings"
RECORD: Final = Promise(
    "record",
    "a handler per record has at least 0.80 of the records per second of a loop over consume(500)",
    RIVAL,
    0.80,
    "x",
    "at least",
)
BATCH: Final = Promise(
    "batch",
    "a handler per batch has at least the records per second of a loop over consume(500)",
    RIVAL,
    1.00,
    "x",
    "at least",
)
PROMISES: Final = (RECORD, BATCH)
CONTENDERS: Final[tuple[Contender, ...]] = ("consume", "record", "batch")
RECORDS: Final = 1_000_000
PARTITIONS: Final = 6
PER_SECOND: Final = 400_000
"""Of a slow contender on a slow machine, for the estimate."""


def steps(extent: Extent, rng: random.Random) -> list[Step]:
    """Fill a topic, then have every contender read it once per round, in an order drawn anew."""
    records = RECORDS // 2 if extent.quick else RECORDS
    seconds = ACCOUNT + records / PER_SECOND
    fill = Step(f"{NAME}: fill {records:,} records", 2 * seconds, "fill", records)
    return [fill] + [
        Step(f"{NAME}: {name}, round {number}", seconds, name, records)
        for number in range(1, extent.rounds + 1)
        for name in rng.sample(CONTENDERS, k=len(CONTENDERS))
    ]


def measure(stage: Stage, steps: Sequence[Step]) -> list[Found]:
    """Read, by turns."""
    speeds: dict[str, list[float]] = {name: [] for name in CONTENDERS}
    with stage.place.topic(PARTITIONS) as topic:
        for step in steps:
            with stage.step(step) as words:
                if step.part == "fill":
                    stage.fill(topic, step)
                else:
                    found = stage.trial(_job(stage, topic, step), step.seconds)
                    speeds[step.part].append(found["records"] / found["seconds"])
                    words.append(f"{speeds[step.part][-1]:,.0f} records/s")
    return judged(speeds, stage.rng)


def judged(speeds: Mapping[str, Sequence[float]], rng: random.Random) -> list[Found]:
    """Judge records per second of each contender, paired by round."""
    base = speeds["consume"]
    ratios = {one.name: [a / b for a, b in zip(speeds[one.name], base, strict=False)] for one in PROMISES}
    return [
        judge(
            one, ratios[one.name], "median", rng, records_per_second=list(speeds[one.name]), rival_per_second=list(base)
        )
        for one in PROMISES
    ]


def _job(stage: Stage, topic: str, step: Step) -> ConsumeJob:
    name: Contender = next(one for one in CONTENDERS if one == step.part)
    place = stage.place
    return ConsumeJob(
        name, place.cluster.bootstrap, topic, step.count, place.embedded, "consumer", stage.properties(), folder=""
    )
