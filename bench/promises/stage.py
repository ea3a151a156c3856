"""Where promises are measured: the cluster, opened when it is first needed, folders, topics, and a word on progress."""

import random
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, Protocol, Self

from confluent_kafka import KafkaException

from ...supervisor.control.client import ControlError
from ...testing.herd import Herd
from ...testing.kafka import KafkaError
from ...testing.parts import MissingPartError
from ..jobs import FillJob, Job, ProduceJob, TrialError, said
from ..place import BenchError, Place
from ..progress import Watch
from ..runner import run
from .promise import Found, Promise

ACCOUNT: Final = 2
"""Seconds beside its load that a step takes, about."""
SIZE: Final = 100
"""Bytes of a value."""
ENTROPY: Final = 0.5
HURRIED: Final = {"heartbeat.interval.ms": "300"}
"""Of consumers: a new group has shared its partitions sooner, where nothing of what is measured waits for it."""


BROKEN: Final = (
    AssertionError,  # of the harness: a herd, or its records, are not what they should be
    BenchError,
    ControlError,
    KafkaError,
    KafkaException,
    LookupError,
    MissingPartError,
    OSError,  # a process that is watched has gone; TimeoutError
    TrialError,
)
"""What may go wrong with one measurement and concerns no other."""


@dataclass(frozen=True, slots=True)
class Extent:
    """How much is measured: `rounds` of whatever a measurement counts; `quick`: shorter ones too."""

    rounds: int
    quick: bool


@dataclass(frozen=True, slots=True)
class Step:
    """A part of a measurement that progress is told of; `seconds` is what it will take, about."""

    label: str
    seconds: float
    part: str = ""
    """What the measurement itself needs to know."""
    count: int = 0


class Measurement(Protocol):
    """How promises are measured: a module of this package."""

    @property
    def NAME(self) -> str:  # noqa: N802 - a module's constant
        """Return its name."""

    @property
    def PROMISES(self) -> tuple[Promise, ...]:  # noqa: N802 - see above
        """Return what it is about."""

    @property
    def FULL(self) -> int:  # noqa: N802 - see above
        """Return the rounds of a full run."""

    @property
    def QUICK(self) -> int:  # noqa: N802 - see above
        """Return the rounds of a quick run."""

    def steps(self, extent: Extent, rng: random.Random) -> list[Step]:
        """Return what there is to do, in this order."""

    def measure(self, stage: "Stage", steps: Sequence[Step]) -> list[Found]:
        """Do the steps and judge; raises what a broken part raises."""


class Stage:
    """One run's; a context manager that leaves no process, no topic and no folder."""

    def __init__(self, opening: Callable[[], AbstractContextManager[Place]], watch: Watch, rng: random.Random) -> None:
        self._opening, self._watch = opening, watch
        self._place: Place | None = None
        self._problem: BenchError | None = None
        self._stack = ExitStack()
        self._done: list[Step] = []
        self.rng = rng

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    @property
    def place(self) -> Place:
        """The cluster.

        Raises:
            BenchError: it cannot be had; said again to each that asks, not tried again.
        """
        if self._problem is not None:
            raise self._problem
        if self._place is None:
            try:
                self._place = self._stack.enter_context(self._opening())
            except BenchError as error:
                self._problem = error
                raise
        return self._place

    @property
    def opened(self) -> Place | None:
        """The cluster, if anybody has needed it."""
        return self._place

    def give_up(self, steps: Sequence[Step], reason: str) -> None:
        """Tell that these steps have failed: those of them that are not done take no time."""
        for step in [step for step in steps if step not in self._done]:
            self._done.append(step)
            self._watch.end(step, f"failed: {reason.splitlines()[0]}")

    @contextmanager
    def step(self, step: Step) -> Iterator[list[str]]:
        """Tell of a step: at its end, the words that were put into the list."""
        self._watch.begin(step)
        words: list[str] = []
        yield words
        self._done.append(step)
        self._watch.end(step, ", ".join(words) or "done")

    @contextmanager
    def herd(self, tables: dict[str, Any], source: str) -> Iterator[Herd]:
        """Run a herd in a folder of its own; what is left of it is killed."""
        with self.folder() as folder, Herd(folder, tables, source) as herd:
            yield herd

    @contextmanager
    def folder(self) -> Iterator[Path]:
        """Have an empty folder."""
        with tempfile.TemporaryDirectory(prefix="kherd-bench-") as folder:
            yield Path(folder)

    def trial(self, job: Job, seconds: float) -> dict[str, Any]:
        """Run a trial of about `seconds`, its files in a folder of its own; return what it found; raises TrialError."""
        with self.folder() as folder:
            placed = job if isinstance(job, ProduceJob | FillJob) else replace(job, folder=str(folder))
            return run(placed, folder, seconds)

    def fill(self, topic: str, step: Step) -> None:
        """Bring a topic to as many records as `step` counts; raises TrialError."""
        self.trial(FillJob(topic, self.place.cluster.client_properties(), step.count, SIZE, ENTROPY), step.seconds)

    def properties(self) -> dict[str, str]:
        """Return what every client needs beside the address."""
        found = dict(self.place.cluster.client_properties())
        del found["bootstrap.servers"]
        return found


def reason_of(error: Exception) -> str:
    """Return what a person is told of an error: never nothing."""
    return said(error).strip() or type(error).__name__
