"""What is measured in which order: rounds with every cell once, in an order drawn anew, and a control cell. Pure."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from .matrix import Cell, Contender, Matrix, cells_of

Kind = Literal["rate", "paced", "fault", "fill", "consume"]
Part = Literal["produce", "fault", "consume"]
PARTS: Final[tuple[Part, ...]] = ("produce", "fault", "consume")
OVERHEAD: Final = 1.2
"""Seconds of a trial beside its load: a process, a topic, the watermarks."""
FAILOVER: Final = 10.0
"""Seconds until a killed leader has a successor and is back in sync, on an unhurried machine with two cores."""
RECORDS_PER_SECOND: Final = 300_000
"""Of a slow contender."""


@dataclass(frozen=True, slots=True)
class Step:
    """One trial; `what` is a cell's label, an acks setting or a contender, `seconds` what it will take, about."""

    kind: Kind
    what: str
    round: int
    seconds: float
    control: bool = False
    stall: float = 0.0

    @property
    def label(self) -> str:
        """Return what a person reads."""
        more = " (control)" if self.control else f", followers still for {self.stall:g} s" if self.stall else ""
        return f"{self.kind} {self.what}{more}"


def plan(matrix: Matrix, parts: Sequence[Part], rng: random.Random) -> list[Step]:
    """Return the steps of `parts`. Rates come before latencies, which need them."""
    steps: list[Step] = []
    if "produce" in parts:
        steps += _produce(matrix, "rate", rng) + _produce(matrix, "paced", rng)
    if "fault" in parts:
        steps += _faults(matrix, rng)
    if "consume" in parts:
        steps += _consume(matrix, rng)
    return steps


def control_of(matrix: Matrix) -> Cell:
    """Return the cell that is repeated beside the others: the first one."""
    return cells_of(matrix)[0]


def estimate(steps: Sequence[Step]) -> float:
    """Return seconds."""
    return sum(step.seconds for step in steps)


def _produce(matrix: Matrix, kind: Literal["rate", "paced"], rng: random.Random) -> list[Step]:
    """A control trial stands before every round and after the last."""
    cells = [cell.label for cell in cells_of(matrix)]
    seconds = matrix.load.warmup + matrix.load.seconds + OVERHEAD
    control = control_of(matrix).label
    steps: list[Step] = []
    for number in range(1, matrix.load.rounds + 1):
        steps.append(Step(kind, control, number, seconds, control=True))
        steps += [Step(kind, label, number, seconds) for label in rng.sample(cells, k=len(cells))]
    return [*steps, Step(kind, control, matrix.load.rounds + 1, seconds, control=True)]


def _faults(matrix: Matrix, rng: random.Random) -> list[Step]:
    settings = dict.fromkeys((cell.acks, stall) for cell in cells_of(matrix) for stall in matrix.fault.stalls)
    seconds = matrix.fault.seconds + FAILOVER
    return [
        Step("fault", acks, number, seconds, stall=stall)
        for number in range(1, matrix.fault.trials + 1)
        for acks, stall in rng.sample(list(settings), k=len(settings))
    ]


def _consume(matrix: Matrix, rng: random.Random) -> list[Step]:
    course = matrix.consume
    contenders: list[Contender] = list(dict.fromkeys(course.contenders))
    seconds = OVERHEAD + course.records / RECORDS_PER_SECOND
    fill = Step("fill", f"{course.records} records", 0, 2 * OVERHEAD + course.records / RECORDS_PER_SECOND)
    return [fill] + [
        Step("consume", name, number, seconds)
        for number in range(1, course.rounds + 1)
        for name in rng.sample(contenders, k=len(contenders))
    ]
