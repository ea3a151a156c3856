"""Workers of a herd that are killed one after another under a steady stream, in portions that progress can tell of."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

from ...testing.herd import Herd
from ...testing.kills import Losses, Toll, kill_many
from ...testing.results import percentile
from ...testing.scenes import LEDGER, config, wait_settled
from ...worker.spec import GroupProtocol
from .stage import Stage, Step

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
    counts = [min(PORTION, kills - start) for start in range(0, kills, PORTION)]
    return [
        Step(f"{label}: {count} kills", START * (not number) + count * each, part, count)
        for number, count in enumerate(counts)
    ]


def kill_all(stage: Stage, scene: Scene, steps: Sequence[Step]) -> Tolls:
    """Kill as many workers as `steps` count; raises HerdError, AssertionError if an acknowledged record is missing."""
    found = Tolls()
    place = stage.place
    with place.topic(scene.partitions) as topic, _herd(stage, scene, topic) as herd:
        for step in steps:
            with stage.step(step) as words:
                wait_settled(herd, scene.workers, scene.partitions)
                _forget(herd)
                losses = kill_many(
                    herd, place.cluster, topic, partitions=scene.partitions, rate=scene.rate, number=step.count,
                    window=WINDOW,
                )  # fmt: skip
                found.add(losses)
                words.extend(_said(losses))
        herd.stop()
    return found


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
