"""A run from its options to its result, whatever happens on the way."""

import random
import signal
import traceback
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field

from ..supervisor.config.secrets import REDACTED, is_sensitive
from ..worker import clock
from . import place as places
from .environment import environment, load
from .matrix import Matrix, cells_of
from .place import BenchError, Place
from .plan import Part, Step, control_of, plan
from .progress import Watch
from .result import CellEntry, MatrixEntry, Result
from .session import Session, client_of


class InterruptedRunError(Exception):
    """Somebody wants the run to end; `number` is the signal."""

    def __init__(self, number: int) -> None:
        super().__init__(signal.Signals(number).name)
        self.number = number


@dataclass(frozen=True, slots=True)
class Order:
    """What is wanted: `bootstrap` is "embedded", addresses, or None for `brokers` of our own."""

    matrix: Matrix
    parts: tuple[Part, ...]
    bootstrap: str | None
    brokers: int
    seed: int
    command: str

    def steps(self) -> list[Step]:
        """Return the plan, always the same for one seed."""
        return plan(self.matrix, self.parts, random.Random(self.seed))

    def place(self) -> AbstractContextManager[Place]:
        """Return where to measure; entering it raises BenchError."""
        copies = self.matrix.load.replication
        if self.bootstrap == "embedded":
            return places.embedded()
        if self.bootstrap is None:
            return places.harness(self.brokers, copies)
        return places.given(self.bootstrap, self.matrix.client, copies)


@dataclass(slots=True)
class Outcome:
    """What came of a run: `result` as soon as there is a broker, `ended_by` if it did not come to its end."""

    result: Result | None = None
    ended_by: BenchError | InterruptedRunError | None = field(default=None)


def perform(order: Order) -> Outcome:
    """Run all of it; a run that is cut short keeps what it has, marked incomplete."""
    outcome = Outcome()
    steps = order.steps()
    began = clock.monotonic()
    try:
        with interruptible(), order.place() as place:
            outcome.result = _new_result(order, place)
            _play(order, place, outcome.result, steps)
            outcome.result.complete = True
    except (BenchError, InterruptedRunError) as error:
        outcome.ended_by = error
    except Exception as error:  # noqa: BLE001 - what was measured so far is worth more than the rest of the run
        traceback.print_exc()
        outcome.ended_by = BenchError(f"[BUG] {error!r}")
    if outcome.result is not None:
        outcome.result.seconds = round(clock.monotonic() - began, 1)
        outcome.result.environment["load_after"] = load()
    return outcome


def _play(order: Order, place: Place, result: Result, steps: Sequence[Step]) -> None:
    with Watch(steps) as watch, Session(place, order.matrix, result, watch.end) as session:
        for step in steps:
            watch.begin(step)
            session.play(step)
            result.environment["load_most"] = max(result.environment["load_most"], load())


def _new_result(order: Order, place: Place) -> Result:
    cells = [
        CellEntry(
            label=cell.label,
            acks=cell.acks,
            linger_ms=cell.linger_ms,
            batch_size=cell.batch_size,
            compression=cell.compression,
            client=redacted(client_of(order.matrix, cell)),
        )
        for cell in cells_of(order.matrix)
    ]
    matrix = order.matrix.model_dump(mode="json")
    return Result(
        began=clock.iso(clock.wall()),
        command=order.command,
        seed=order.seed,
        environment=environment(),
        broker=place.broker,
        matrix=MatrixEntry.model_validate({**matrix, "client": redacted(matrix["client"])}),
        control=control_of(order.matrix).label,
        cells=cells,
    )


def redacted(client: Mapping[str, str]) -> dict[str, str]:
    """Return client properties without their secrets."""
    return {name: REDACTED if is_sensitive(name) else value for name, value in client.items()}


@contextmanager
def interruptible() -> Iterator[None]:
    """Turn the first INT, TERM or HUP into an exception, so that all is cleaned up; a second one ends the process.

    Children are killed by the kernel then.
    """

    def stop(number: int, _frame: object) -> None:
        for one in heard:
            signal.signal(one, signal.SIG_DFL)
        raise InterruptedRunError(number)

    # Under nohup, the end of the terminal stays ignored.
    wanted = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    heard = [one for one in wanted if one != signal.SIGHUP or signal.getsignal(one) is not signal.SIG_IGN]
    before = {number: signal.signal(number, stop) for number in heard}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
