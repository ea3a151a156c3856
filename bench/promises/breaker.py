"""What a call through a closed circuit breaker costs, beside the same call without it."""

import json
import random
import sys
from collections.abc import Sequence
from statistics import median
from typing import Any, Final

from ...testing.process import Process, tail
from .. import breaker_calls
from ..jobs import TrialError
from .promise import Found, Promise, judge
from .stage import Extent, Stage, Step

NAME: Final = "breaker"
FULL, QUICK = 50, 10
LIMIT: Final = 1e-6
ROUND: Final = 0.2
"""Seconds, about."""
START: Final = 2.0
PATIENCE: Final = 120.0
CLOSED: Final = Promise(
    "breaker",
    "a call through a closed circuit breaker that the host shares costs at most 1 µs more than the call itself, median",
    "the same call of the same function without it, by turns",
    LIMIT,
    "s",
)
PROMISES: Final = (CLOSED,)


def steps(extent: Extent, rng: random.Random) -> list[Step]:
    """Call by turns in so many rounds."""
    del rng  # there is nothing to draw
    return [Step(f"{NAME}: {breaker_calls.CALLS:,} calls", START + extent.rounds * ROUND, "", extent.rounds)]


def measure(stage: Stage, steps: Sequence[Step]) -> list[Found]:
    """Call, in a process of its own."""
    (step,) = steps
    with stage.step(step) as words, stage.folder() as folder:
        log = folder / "log"
        process = Process([sys.executable, "-m", breaker_calls.__name__, "--rounds", str(step.count)], log=log)
        try:
            ended = process.ended(PATIENCE)
        finally:
            code = process.kill()
        if not ended or code != 0:
            raise TrialError(f"the calls ended with {code}: {tail(log, 3)}" if ended else "the calls did not end")
        result = json.loads(log.read_text().splitlines()[-1])
        words.append(f"{median(result['extra']) * 1e6:.2f} µs")
    return [judged(result, stage.rng)]


def judged(result: dict[str, Any], rng: random.Random) -> Found:
    """Judge the seconds that a call costs more."""
    decorated = median(result["decorated"])
    return judge(CLOSED, result["extra"], "median", rng, bare=result["bare"], decorated=decorated)
