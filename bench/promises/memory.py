"""What an idle worker needs: one forked from an image that has the code loaded, beside one started as a program.

PSS: a page that n processes share counts one nth for each of them (`/proc/PID/smaps_rollup`).
"""

import os
import random
import sys
import uuid
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from statistics import median
from typing import Any, Final

from ...testing.process import Process, tail
from ...testing.scenes import config, wait_settled
from ...testing.wait import until
from ...worker import boardview, clock
from ...worker.board import Board
from .. import lone
from ..jobs import TrialError
from .promise import Found, Promise, judge
from .stage import HURRIED, Extent, Stage, Step

NAME: Final = "memory"
FULL, QUICK = 8, 8
"""Workers; of fewer, each has a greater share of what they share."""
REST: Final = 2.0
"""Seconds after all have their partitions until they are looked at."""
EACH: Final = 1.0
"""Seconds that a worker costs, about."""
START: Final = 60.0
RIVAL: Final = "the same worker with the same handler, each started as a program of its own"
SMALL: Final = "import json\n\ndef handle(message):\n    pass\n"
LARGE: Final = """
DATA = [{"number": n, "name": f"record {n}", "tags": (n, str(n))} for n in range(330_000)]

def handle(message):
    pass
"""
"""About 150 MB of Python objects, as a large framework and its tables are."""
SOURCES: Final = {"memory": SMALL, "memory-large": LARGE}
LIMITS: Final = {"memory": 0.6, "memory-large": 0.3}
WHAT: Final = {"memory": "with a small handler", "memory-large": "of an app with 150 MB of imports"}
PROMISES: Final = tuple(
    Promise(
        name,
        f"the memory (PSS) of an idle worker {WHAT[name]}, preloaded, is at most {LIMITS[name]} of that of one started"
        " separately",
        RIVAL,
        LIMITS[name],
        "x",
    )
    for name in SOURCES
)


def steps(extent: Extent, rng: random.Random) -> list[Step]:
    """Start `rounds` workers in either way, with either handler."""
    del rng  # there is nothing to draw
    return [Step(f"{NAME}: {WHAT[name]}", 2 * REST + 2 * extent.rounds * EACH, name, extent.rounds) for name in SOURCES]


def measure(stage: Stage, steps: Sequence[Step]) -> list[Found]:
    """Start them, and look."""
    found = []
    for step, promise in zip(steps, PROMISES, strict=True):
        with stage.step(step) as words:
            ours, mold = _preloaded(stage, step)
            theirs = _separate(stage, step)
            words.append(f"{median(ours) / 2**20:.1f} MiB, separately {median(theirs) / 2**20:.1f} MiB")
        found.append(judged(promise, ours, theirs, stage.rng, mold=mold))
    return found


def judged(
    promise: Promise, ours: Sequence[float], theirs: Sequence[float], rng: random.Random, **details: Any
) -> Found:
    """Judge bytes of each worker of either kind: the least of one beside the least of the other, and so on."""
    ratios = [a / b for a, b in zip(sorted(ours), sorted(theirs), strict=False)]
    return judge(promise, ratios, "median", rng, bytes=list(ours), rival_bytes=list(theirs), **details)


def pss(pid: int) -> int:
    """Return the proportional set size of a process in bytes."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))


def _preloaded(stage: Stage, step: Step) -> tuple[list[float], int]:
    with stage.place.topic(step.count) as topic:
        tables = config(stage.place.cluster, topic, step.count)
        tables["kafka"]["consumer"] = HURRIED
        with stage.herd(tables, SOURCES[step.part]) as herd:
            document = wait_settled(herd, step.count, step.count)
            clock.sleep(REST)
            found = [float(pss(slot["pid"])) for slot in document["slots"]]
            mold = pss(document["services"]["mold"]["pid"])
            herd.stop()
    return found, mold


def _separate(stage: Stage, step: Step) -> list[float]:
    with stage.place.topic(step.count) as topic, stage.folder() as folder:
        (folder / "handlers.py").write_text(SOURCES[step.part])
        told = lone.Told(
            "handlers:handle",
            str(folder),
            stage.place.cluster.bootstrap,
            topic,
            f"kherd-bench-{uuid.uuid4().hex}",
            {**stage.properties(), **HURRIED},
        )
        told.write(folder / "told")
        with _programs(folder, step.count) as programs:
            until(lambda: all(map(_works, programs)), START, f"{step.count} workers to have partitions", glance=0.1)
            clock.sleep(REST)
            return [float(pss(process.pid)) for process in programs]


@contextmanager
def _programs(folder: Path, count: int) -> Iterator[list[Process]]:
    with ExitStack() as stack:
        programs = []
        for number in range(count):
            board = folder / f"board-{number}"
            command = [sys.executable, "-m", lone.__name__, str(folder / "told"), str(board)]
            programs.append(Process(command, log=folder / f"log-{number}"))
            stack.callback(programs[-1].kill)
        yield programs


def _works(process: Process) -> bool:
    """Whether a worker's board shows a partition; raises TrialError if it has ended."""
    if process.ended(0):
        raise TrialError(f"a worker started separately has ended: {tail(process.log, 3)}")
    board_path = Path(process.command[-1])
    if not board_path.exists():
        return False
    fd = os.open(board_path, os.O_RDWR)
    try:
        with closing(Board(fd)) as board:
            return bool(list(boardview.partitions_of(board)))
    except ValueError:  # not allocated yet
        return False
    finally:
        os.close(fd)
