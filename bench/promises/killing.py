"""Workers of a herd that are killed one after another under a steady stream, in portions that progress can tell of."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, Final

from ...testing.herd import Herd
from ...testing.kills import Losses, Toll, kill_many
from ...testing.results import percentile
from ...testing.scenes import LEDGER, config, wait_settled
from ...worker.spec import GroupProtocol
from ..spread import Verdict
from .promise import Found
from .stage import BROKEN, Stage, Step, reason_of

PORTION: Final = 20
"""Kills between two words of progress; their ledger is forgotten then."""
WINDOW: Final = 0.5
"""Seconds watched before and after a kill."""
KILL: Final = 1.5
"""Seconds that one takes, about."""
START: Final = 8.0
"""Seconds until a herd has shared its partitions, about."""


@dataclass(slots=True)
class Tolls:
    """What the kills of one herd came to."""

    each: list[Toll] = field(default_factory=list)
    rebalances: int = 0
    """Of the group, by its coordinator's account."""
    disturbed: int = 0
    """Kills after which another worker's pid, partitions or number of rebalances had changed."""
    problem: str | None = None
    """What ended the kills before all were done."""

    def add(self, losses: Losses) -> None:
        """Take in a portion."""
        self.each += losses.tolls
        self.rebalances += losses.rebalances
        self.disturbed += len(losses.disturbed())


@dataclass(frozen=True, slots=True)
class Scene:
    """A herd to kill workers of; `rate` in records per second, over all partitions."""

    protocol: GroupProtocol
    static: bool
    workers: int
    partitions: int
    rate: float
    source: str = LEDGER
    mode: str = "record"


def portions(label: str, part: str, kills: int, each: float = KILL) -> list[Step]:
    """Return steps of so many kills together; the first starts the herd."""
    firsts = range(1, kills + 1, PORTION)
    return [
        Step(
            f"{label}: kills {first} to {last}",
            START * (first == 1) + (last - first + 1) * each,
            part,
            last - first + 1,
        )
        for first in firsts
        for last in [min(first + PORTION - 1, kills)]
    ]


def kill_all(stage: Stage, scene: Scene, steps: Sequence[Step]) -> Tolls:
    """Kill as many workers as `steps` count; what goes wrong is noted, and keeps what was measured before."""
    found = Tolls()
    try:
        with stage.place.topic(scene.partitions) as topic, _herd(stage, scene, topic) as herd:
            for step in steps:
                found.add(_portion(stage, scene, herd, topic, step))
            herd.stop()
    except BROKEN as error:
        found.problem = reason_of(error)
        stage.give_up(steps, found.problem)
    return found


def minding(found: Found, *tolls: Tolls) -> Found:
    """Return what was found, with what has ended the kills early: then nothing counts as kept."""
    problems = [one.problem for one in tolls if one.problem is not None]
    if not problems:
        return found
    said: Verdict = "missed" if found.verdict == "missed" else "inconclusive"
    return replace(found, verdict=said, problem=problems[0])


def _portion(stage: Stage, scene: Scene, herd: Herd, topic: str, step: Step) -> Losses:
    with stage.step(step) as words:
        wait_settled(herd, scene.workers, scene.partitions)
        _forget(herd)
        losses = kill_many(
            herd, stage.place.cluster, topic, partitions=scene.partitions, rate=scene.rate, number=step.count,
            window=WINDOW,
        )  # fmt: skip
        words.extend(_said(losses))
    return losses


@contextmanager
def _herd(stage: Stage, scene: Scene, topic: str) -> Iterator[Herd]:
    workers: dict[str, Any] = {"mode": scene.mode}
    tables = config(
        stage.place.cluster, topic, scene.workers, protocol=scene.protocol, static=scene.static, workers=workers
    )
    with stage.herd(tables, scene.source) as herd:
        yield herd


def _forget(herd: Herd) -> None:
    """Empty the ledger: workers append to it, wherever its end is."""
    if herd.ledger.exists():
        os.truncate(herd.ledger, 0)


def _said(losses: Losses) -> list[str]:
    gaps = [one.gap for one in losses.tolls]
    again = sum(one.again for one in losses.tolls)
    return [
        f"gap {percentile(gaps, 50) * 1000:.0f} ms, worst {max(gaps) * 1000:.0f} ms",
        f"{again} handled again",
        f"{losses.rebalances} rebalances",
    ]
