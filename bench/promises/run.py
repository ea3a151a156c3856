"""A run of promises from what is asked for to the report, whatever happens on the way."""

import random
import traceback
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any

from ...worker import clock
from .. import place as places
from ..environment import environment, load
from ..place import Place
from ..progress import Watch
from ..run import InterruptedRunError, interruptible
from .promise import Found, unmeasured
from .report import Line, Report, line
from .stage import BROKEN, Extent, Measurement, Stage, Step, reason_of

Plan = list[tuple[Measurement, list[Step]]]


@dataclass(frozen=True, slots=True)
class Order:
    """What is wanted: `rounds` instead of each measurement's own, `bootstrap` instead of `brokers` of our own."""

    measurements: Sequence[Measurement]
    quick: bool
    rounds: int | None
    bootstrap: str | None
    brokers: int
    client: Mapping[str, str] = field(repr=False)
    seed: int
    command: str

    def plan(self) -> Plan:
        """Return what there is to do, always the same for one seed."""
        rng = random.Random(self.seed)
        return [(one, one.steps(self.extent(one), rng)) for one in self.measurements]

    def extent(self, one: Measurement) -> Extent:
        """Return how much of a measurement is wanted."""
        return Extent(self.rounds or (one.QUICK if self.quick else one.FULL), self.quick)

    def place(self) -> AbstractContextManager[Place]:
        """Return where to measure; entering it raises BenchError."""
        if self.bootstrap is None:
            return places.harness(self.brokers, None)
        return places.given(self.bootstrap, self.client, None)


@dataclass(slots=True)
class Outcome:
    """What came of a run; `ended_by` if it did not come to its end."""

    report: Report
    ended_by: InterruptedRunError | None = None

    @property
    def missed(self) -> list[str]:
        """Return the promises that were not kept."""
        return [one.promise for one in self.report.promises if one.verdict == "missed"]

    @property
    def unmeasured(self) -> list[str]:
        """Return the promises that nothing is known of."""
        return [one.promise for one in self.report.promises if one.measured is None]


def perform(order: Order, tell: Callable[[Line, Mapping[str, Any]], None]) -> Outcome:
    """Measure all of it; `tell` hears of each promise as soon as it is judged, and of where that was."""
    outcome = Outcome(
        Report(began=clock.iso(clock.wall()), command=order.command, seed=order.seed, environment=environment())
    )
    began = clock.monotonic()
    plan = order.plan()
    watch = Watch([step for _, steps in plan for step in steps])
    try:
        with interruptible(), watch, Stage(order.place, watch, random.Random(order.seed)) as stage:
            for one, steps in plan:
                _play(stage, one, steps, outcome.report, tell)
            outcome.report.complete = True
    except InterruptedRunError as error:
        outcome.ended_by = error
    outcome.report.seconds = round(clock.monotonic() - began, 1)
    outcome.report.environment["load_after"] = load()
    return outcome


def _play(
    stage: Stage,
    one: Measurement,
    steps: Sequence[Step],
    report: Report,
    tell: Callable[[Line, Mapping[str, Any]], None],
) -> None:
    began = clock.monotonic()
    try:
        found = one.measure(stage, steps)
    except InterruptedRunError:
        raise
    except BROKEN as error:
        found = _failed(stage, one, steps, reason_of(error))
    except Exception as error:  # noqa: BLE001 - the other promises are worth more than the end of this run
        traceback.print_exc()
        found = _failed(stage, one, steps, f"[BUG] {error!r}")
    seconds = clock.monotonic() - began
    of = report.environment
    of["load_most"] = max(of["load_most"], load())
    if stage.opened is not None:
        of["broker"] = stage.opened.broker.model_dump()
    for each in found:
        report.promises.append(line(each, seconds))
        tell(report.promises[-1], of)


def _failed(stage: Stage, one: Measurement, steps: Sequence[Step], reason: str) -> list[Found]:
    stage.give_up(steps, reason)
    return [unmeasured(promise, reason) for promise in one.PROMISES]
