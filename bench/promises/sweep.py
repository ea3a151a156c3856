"""How long the liaison takes to read the offsets of 10,000 partitions, on the embedded broker."""

import json
import random
import sys
from collections.abc import Sequence
from typing import Final

from ...testing.process import Process, tail
from .. import lag_sweep
from ..jobs import TrialError
from .promise import Found, Promise, judge
from .stage import Extent, Stage, Step

NAME: Final = "lag-sweep"
FULL, QUICK = 20, 5
LIMIT: Final = 0.5
START: Final = 10.0
PATIENCE: Final = 180.0
SWEEP: Final = Promise(
    "lag-sweep",
    "the committed and end offsets of 10,000 partitions are read within 0.5 s (embedded broker)",
    "none: a bound of its own",
    LIMIT,
    "s",
)
PROMISES: Final = (SWEEP,)


def steps(extent: Extent, rng: random.Random) -> list[Step]:
    """Sweep as many times, and as many times with log starts."""
    del rng  # there is nothing to draw
    return [Step(f"{NAME}: {lag_sweep.PROMISED:,} partitions", START + extent.rounds, "", extent.rounds)]


def measure(stage: Stage, steps: Sequence[Step]) -> list[Found]:
    """Sweep, in a process of its own."""
    (step,) = steps
    with stage.step(step) as words, stage.folder() as folder:
        log = folder / "log"
        process = Process([sys.executable, "-m", lag_sweep.__name__, "--rounds", str(step.count)], log=log)
        try:
            ended = process.ended(PATIENCE)
        finally:
            code = process.kill()
        if not ended or code != 0:
            raise TrialError(f"the sweep ended with {code}: {tail(log, 3)}" if ended else "the sweep did not end")
        result = json.loads(log.read_text().splitlines()[-1])
        words.append(f"{result['usual']['median']:.3f} s")
    seconds = [*result["usual"]["seconds"], *result["log_starts"]["seconds"]]
    return [judge(SWEEP, seconds, "max", stage.rng)]
