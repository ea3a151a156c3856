"""One run: plays the plan step by step and keeps every trial; what fails is told, and does not end the others."""

import random
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from typing import Any, Final, Self

from ..testing.kafka import KafkaError
from ..testing.process import Process
from . import topic as topics
from .faults import leader_of, strike_down, wait_for
from .jobs import ConsumeJob, FillJob, ProduceJob, TrialError
from .matrix import Cell, Matrix, acks_properties, cells_of
from .place import BenchError, Place
from .plan import Step
from .result import ConsumeTrial, FaultTrial, PacedTrial, Problem, RateTrial, Result
from .runner import run

CLIENT: Final = {"client.id": "kherd-bench", "message.timeout.ms": "30000"}
"""Of every producer: what cannot be delivered has to fail within the trial."""
IN_A_ROW: Final = 3
"""So many trials that fail one after the other are no accident."""


def client_of(matrix: Matrix, cell: Cell) -> dict[str, str]:
    """Return the configuration of a cell's producer, without the address."""
    return {**CLIENT, **matrix.client, **cell.properties()}


class Session:
    """Trials at one place, into one result; a context manager."""

    def __init__(self, place: Place, matrix: Matrix, result: Result, say: Callable[[Step, str], None]) -> None:
        self._place, self._matrix, self._result, self._say = place, matrix, result, say
        self._cells = {cell.label: cell for cell in cells_of(matrix)}
        self._rng = random.Random(result.seed)
        self._stack = ExitStack()
        self._course = ""
        self._failures = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def play(self, step: Step) -> None:
        """Do one step, keep what it shows.

        Raises:
            BenchError: one after the other fails: there is no use in going on.
        """
        play: dict[str, Callable[[Step, Path], str]] = {
            "rate": self._rate,
            "paced": self._paced,
            "fault": self._fault,
            "fill": self._fill,
            "consume": self._consume,
        }
        try:
            with tempfile.TemporaryDirectory(prefix="kherd-bench-") as folder:
                said = play[step.kind](step, Path(folder))
        except (TrialError, BenchError, KafkaError) as error:
            self._fail(step, str(error))
        else:
            self._failures = 0
            self._say(step, said)

    def _fail(self, step: Step, what: str) -> None:
        self._result.problems.append(Problem(step=f"{step.label}, round {step.round}", what=what))
        self._say(step, f"failed: {what}")
        self._failures += 1
        if self._failures >= IN_A_ROW or step.kind == "fill":
            raise BenchError(f"given up after {step.label}: {what}")

    def _rate(self, step: Step, folder: Path) -> str:
        found = self._produce(step, folder, None)
        trial = RateTrial(cell=step.what, round=step.round, control=step.control, **found)
        self._result.rate.append(trial)
        return f"{trial.records / trial.seconds:,.0f} records/s"

    def _paced(self, step: Step, folder: Path) -> str:
        rate = self.pace(step.what)
        found = self._produce(step, folder, rate)
        trial = PacedTrial(cell=step.what, round=step.round, control=step.control, rate=rate, **found)
        self._result.paced.append(trial)
        late = "nothing delivered" if trial.latency is None else f"p99 {trial.latency.p99 * 1000:.1f} ms"
        return f"{late} at {rate:,} records/s"

    def pace(self, label: str) -> int:
        """Return the rate at which a cell's latency is measured, the same in all rounds.

        Raises:
            TrialError: the cell has no maximum.
        """
        own = [one for one in self._result.rate if one.cell == label and not one.control]
        speeds = [one.records / one.seconds for one in own if one.account.produced == _reported(one)]
        if not speeds or median(speeds) <= 0:
            raise TrialError("no maximum was measured, so there is no rate for its latency")
        return max(1, round(median(speeds) * self._matrix.load.fraction))

    def _produce(self, step: Step, folder: Path, rate: int | None) -> dict[str, Any]:
        load, cell = self._matrix.load, self._cells[step.what]
        with self._place.topic(load.partitions) as topic:
            job = ProduceJob(
                topic=topic,
                properties=self._properties(client_of(self._matrix, cell)),
                partitions=load.partitions,
                size=load.size,
                entropy=load.entropy,
                seed=self._rng.getrandbits(32),
                sticky=load.partitioning == "sticky",
                warmup=load.warmup,
                seconds=load.seconds,
                rate=rate,
            )
            return run(job, folder, load.warmup + load.seconds)

    def _fault(self, step: Step, folder: Path) -> str:
        cluster = self._place.harness
        if cluster is None:
            raise BenchError("brokers can only be killed on the harness, with three of them")
        fault, load = self._matrix.fault, self._matrix.load
        delay = fault.kill_after + self._rng.random()
        acks: Any = step.what
        with self._place.topic(1) as topic:
            leader = leader_of(cluster, topic)
            begun = folder / "begun"
            properties = {**CLIENT, **self._matrix.client, **acks_properties(acks)}
            job = ProduceJob(
                topic=topic, properties=self._properties(properties), partitions=1, size=load.size,
                entropy=load.entropy, seed=self._rng.getrandbits(32), sticky=False, warmup=0.0,
                seconds=fault.seconds, rate=fault.rate, begun=str(begun),
            )  # fmt: skip

            def strike(process: Process) -> None:
                wait_for(begun, process)
                process.ended(delay)
                strike_down(cluster, leader, step.stall)

            try:
                found = run(job, folder, fault.seconds, strike)
            except TrialError:
                cluster.heal()
                raise
            cluster.heal()
        trial = FaultTrial(
            acks=acks, round=step.round, rate=fault.rate, seconds=fault.seconds, killed_after=delay, stall=step.stall,
            **found,
        )  # fmt: skip
        self._result.fault.append(trial)
        return f"{trial.lost:,} of {trial.delivered:,} lost, {trial.duplicated:,} twice"

    def _fill(self, step: Step, folder: Path) -> str:
        course, place = self._matrix.consume, self._place
        least = self._matrix.load.partitions
        partitions = topics.partitions_for(course.records, course.size, least, embedded=place.embedded)
        self._course = self._stack.enter_context(place.topic(partitions))
        properties = self._properties({**CLIENT, **self._matrix.client})
        job = FillJob(self._course, properties, course.records, course.size, self._matrix.load.entropy)
        run(job, folder, step.seconds)
        return f"in {partitions} partitions"

    def _consume(self, step: Step, folder: Path) -> str:
        course: Any = self._matrix.consume
        name: Any = step.what
        job = ConsumeJob(
            name, self._place.cluster.bootstrap, self._course, course.records, self._place.embedded, course.protocol,
            dict(self._matrix.client), str(folder),
        )  # fmt: skip
        trial = ConsumeTrial(contender=name, round=step.round, **run(job, folder, step.seconds))
        self._result.consume.append(trial)
        return f"{trial.records / trial.seconds:,.0f} records/s"

    def _properties(self, client: dict[str, str]) -> dict[str, str]:
        return {**client, "bootstrap.servers": self._place.cluster.bootstrap}


def _reported(trial: RateTrial) -> int:
    return trial.account.delivered + trial.account.failed
