"""How soon the next process is there when one has died, watched from outside; beside the least that a parent can take.

Reaped: its entry in /proc is gone. Forked: the parent has a child more that it had not before.
"""

import random
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final

from ...testing.herd import Document, Herd
from ...testing.process import Process
from ...testing.scenes import config, wait_settled
from ...testing.wait import until
from .. import floor
from .promise import Found, Promise, judge
from .stage import HURRIED, Extent, Stage, Step
from .watching import Succession, children, kill_and_watch

NAME: Final = "respawn"
FULL, QUICK = 50, 10
WORKERS: Final = 8
LIMIT: Final = 0.01
GRACE: Final = 1.2
"""Seconds that a worker has to be ready for its successor to be forked at once, and a little."""
START: Final = 4.0
RESPAWN: Final = Promise(
    "respawn",
    "when a worker that was ready dies, from reaped to its successor forked (preloaded) at most 10 ms, median",
    "a bare loop of pidfd, epoll, waitpid and fork, by turns",
    LIMIT,
    "s",
)
PROMISES: Final = (RESPAWN,)


def steps(extent: Extent, rng: random.Random) -> list[Step]:
    """Start both, then kill a child of each by turns."""
    del rng  # slot after slot
    return [Step(f"{NAME}: {extent.rounds} kills", START + extent.rounds * 0.5, "", extent.rounds)]


def measure(stage: Stage, steps: Sequence[Step]) -> list[Found]:
    """Kill and watch."""
    ours: list[Succession] = []
    theirs: list[Succession] = []
    (step,) = steps
    with stage.step(step) as words, stage.place.topic(WORKERS) as topic, _bare(stage) as bare:
        tables = config(stage.place.cluster, topic, WORKERS)
        tables["kafka"]["consumer"] = HURRIED
        with stage.herd(tables, "def handle(message):\n    pass\n") as herd:
            wait_settled(herd, WORKERS, WORKERS)
            for number in range(step.count):
                ours.append(_kill(herd, number % WORKERS))
                theirs.append(_kill_bare(bare))
            herd.stop()
        found = judged(ours, theirs, stage.rng)
        assert found.measured is not None
        words.append(f"{found.measured.value * 1000:.1f} ms, bare {found.details['rival']['median'] * 1000:.1f} ms")
    return [found]


def judged(ours: Sequence[Succession], theirs: Sequence[Succession], rng: random.Random) -> Found:
    """Judge the seconds from reaped to forked."""
    rival = judge(RESPAWN, [one.respawn for one in theirs], "median", rng).measured
    return judge(
        RESPAWN,
        [one.respawn for one in ours],
        "median",
        rng,
        rival=None if rival is None else {"median": rival.value, "low": rival.low, "high": rival.high},
        killed_to_reaped=sorted(one.reaped for one in ours)[len(ours) // 2] if ours else None,
        killed_to_forked=sorted(one.forked for one in ours)[len(ours) // 2] if ours else None,
    )


def _kill(herd: Herd, slot: int) -> Succession:
    def victim(status: Document) -> Document | None:
        return next((one for one in status["slots"] if one["slot"] == slot), None)

    def steady(status: Document) -> bool:
        one = victim(status)
        return one is not None and one["state"] == "ready" and one["since"] > GRACE

    document = victim(herd.wait_status(steady, what=f"worker {slot} to have been ready for {GRACE:g} s"))
    assert document is not None
    return kill_and_watch(herd.pid, document["pid"])


def _kill_bare(bare: Process) -> Succession:
    until(lambda: len(children(bare.pid)) == WORKERS, START, f"{WORKERS} bare children")
    return kill_and_watch(bare.pid, min(children(bare.pid)))


@contextmanager
def _bare(stage: Stage) -> Iterator[Process]:
    with stage.folder() as folder:
        process = Process([sys.executable, "-m", floor.__name__, str(WORKERS)], log=folder / "log")
        try:
            yield process
        finally:
            process.kill()
