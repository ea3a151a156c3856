"""What a supervisor with 8 workers that have nothing to do costs: time on a core, and how often it wakes up."""

import random
from collections.abc import Sequence
from itertools import pairwise
from typing import Final

from ...testing.scenes import config, wait_settled
from ...worker import clock
from .promise import Found, Promise, judge
from .stage import HURRIED, Extent, Stage, Step
from .watching import Effort, effort

NAME: Final = "idle"
FULL, QUICK = 60, 20
WORKERS, PARTITIONS = 8, 16
GLANCE: Final = 1.0
"""Seconds of a round."""
REST: Final = 1.0
"""Seconds after the group has settled until the first round: what a start leaves to do is done then."""
START: Final = 4.0
SHARE: Final = Promise(
    "idle-cpu",
    "a supervisor with 8 idle workers needs at most 0.1 % of a core",
    "none: a bound of its own",
    0.001,
    "of a core",
)
WAKEUPS: Final = Promise(
    "idle-wakeups",
    "a supervisor with 8 idle workers wakes up at most twice a second (voluntary context switches)",
    "none: a bound of its own",
    2.0,
    "/s",
)
PROMISES: Final = (SHARE, WAKEUPS)


def steps(extent: Extent, rng: random.Random) -> list[Step]:
    """Watch for as many rounds of a second."""
    del rng  # there is nothing to draw
    seconds = START + REST + extent.rounds * GLANCE
    return [Step(f"{NAME}: {extent.rounds} s", seconds, "", extent.rounds)]


def measure(stage: Stage, steps: Sequence[Step]) -> list[Found]:
    """Watch, without asking the supervisor for anything."""
    (step,) = steps
    with stage.step(step) as words, stage.place.topic(PARTITIONS) as topic:
        tables = config(stage.place.cluster, topic, WORKERS)
        tables["kafka"]["consumer"] = HURRIED
        with stage.herd(tables, "def handle(message):\n    pass\n") as herd:
            wait_settled(herd, WORKERS, PARTITIONS)
            clock.sleep(REST)
            looks = [effort(herd.pid)]
            for _ in range(step.count):
                clock.sleep(GLANCE)
                looks.append(effort(herd.pid))
            herd.stop()
        found = judged(looks, stage.rng)
        words += [f"{one.measured.value:.3g} {one.promise.unit}" for one in found if one.measured is not None]
    return found


def judged(looks: Sequence[Effort], rng: random.Random) -> list[Found]:
    """Judge what happened between two looks; means, for what happens each five seconds counts too."""
    rounds = [(after.at - before.at, before, after) for before, after in pairwise(looks)]
    return [
        judge(SHARE, [(after.cpu - before.cpu) / seconds for seconds, before, after in rounds], "mean", rng),
        judge(WAKEUPS, [(after.wakeups - before.wakeups) / seconds for seconds, before, after in rounds], "mean", rng),
    ]
