"""How much calls beside each other gain where a handler waits, on one partition."""

import random
from collections.abc import Mapping, Sequence
from typing import Final

from ..jobs import WaitsJob
from ..waits import CONTENDERS, WAIT
from .promise import Found, Promise, judge
from .stage import ACCOUNT, Extent, Stage, Step

NAME: Final = "concurrency"
FULL, QUICK = 10, 3
RIVAL: Final = "the same handler one call at a time, same topic, same settings, by turns"
RATIO: Final = 50.0


RIVALS: Final = {"threads": "function", "coroutines": "coroutine"}
"""Who is compared with whom: the handler is the same."""


def _promise(kind: str, what: str) -> Promise:
    return Promise(
        f"concurrency-{kind}",
        f"with concurrency = 64, {what} that waits 10 ms does at least 50 times the records of one partition",
        RIVAL,
        RATIO,
        "x",
        "at least",
    )


PROMISES: Final = (_promise("threads", "a function"), _promise("coroutines", "a coroutine function"))
ALONE: Final = 200
"""Records that one call at a time is given; the others get as many times more as there are calls."""
SECONDS: Final = ALONE * WAIT


def steps(extent: Extent, rng: random.Random) -> list[Step]:
    """Fill a topic, then every contender once per round, in an order drawn anew."""
    alone = ALONE // 2 if extent.quick else ALONE
    most = max(calls for _, calls in CONTENDERS.values())
    fill = Step(f"{NAME}: fill {alone * most:,} records", ACCOUNT, "fill", alone * most)
    return [fill] + [
        Step(f"{NAME}: {name}, round {number}", ACCOUNT + alone * WAIT, name, alone * CONTENDERS[name][1])
        for number in range(1, extent.rounds + 1)
        for name in rng.sample(sorted(CONTENDERS), k=len(CONTENDERS))
    ]


def measure(stage: Stage, steps: Sequence[Step]) -> list[Found]:
    """Handle, by turns."""
    rates: dict[str, list[float]] = {name: [] for name in CONTENDERS}
    with stage.place.topic(1) as topic:
        for step in steps:
            with stage.step(step) as words:
                if step.part == "fill":
                    stage.fill(topic, step)
                else:
                    rates[step.part].append(stage.trial(_job(stage, topic, step), step.seconds)["rate"])
                    words.append(f"{rates[step.part][-1]:,.0f} records/s")
    return judged(rates, stage.rng)


def judged(rates: Mapping[str, Sequence[float]], rng: random.Random) -> list[Found]:
    """Judge records per second of each contender, paired by round."""
    return [
        judge(
            promise,
            [a / b for a, b in zip(rates[kind], rates[rival], strict=False)],
            "median",
            rng,
            records_per_second=list(rates[kind]),
            rival_per_second=list(rates[rival]),
        )
        for promise, (kind, rival) in zip(PROMISES, RIVALS.items(), strict=True)
    ]


def _job(stage: Stage, topic: str, step: Step) -> WaitsJob:
    place = stage.place
    return WaitsJob(
        step.part, place.cluster.bootstrap, topic, step.count, place.embedded, stage.properties(), folder=""
    )
