"""Records that failed, where handler calls run beside each other: each holds its lane alone until it has run again."""

import random
from collections.abc import Iterator

from . import clock
from .decide.retry import resumed
from .engine import Engine
from .outcomes import Outcomes
from .partition import Partition
from .partitions import Partitions
from .revisit import policy_of
from .spec import WorkerSpec
from .task import Task
from .trouble import Trouble


class LaneOnly:
    """What waits with a record is its lane: see `decide.queues`. A `keeper.Keeper`."""

    def __init__(self) -> None:
        self.engine: Engine | None = None

    def keep(self, partition: Partition, case: Trouble) -> None:
        """Begin nothing of the record's lane."""
        partition.block(case)
        assert self.engine is not None
        self.engine.queues.hold(case.task)

    def leads(self, partition: Partition, case: Trouble) -> bool:
        """Return whether it is the first of its lane."""
        del partition
        assert self.engine is not None
        return self.engine.queues.leads(case.task)

    def settled(self, partition: Partition, case: Trouble) -> None:
        """Go on with its lane."""
        del partition
        assert self.engine is not None
        self.engine.queues.release(case.task)


class Retries:
    """Has failed records run again when they are due; it has the face of a `retrier.Retrier`."""

    def __init__(self, spec: WorkerSpec, partitions: Partitions, outcomes: Outcomes, keeper: LaneOnly) -> None:
        self._policy = policy_of(spec)
        self._partitions = partitions
        self._outcomes = outcomes
        self._keeper = keeper
        self._rng = random.Random()
        self.engine: Engine | None = None

    @property
    def waiting(self) -> bool:
        """Whether there may be anything to try again."""
        return any(one.troubles for one in self._partitions)

    def wait(self, now: float) -> float | None:
        """Return the seconds until a retry is due or a call may have ended; None if there is nothing to come."""
        assert self.engine is not None
        waits = [max(0.0, due - now) for _, _, due in self._dues()]
        if (busy := self.engine.wait()) is not None:
            waits.append(busy)
        return min(waits, default=None)

    def due(self) -> bool:
        """Return whether a retry is due."""
        now = clock.monotonic()
        return any(due <= now for _, _, due in self._dues())

    def next(self) -> None:
        """Have all that is due run again."""
        assert self.engine is not None
        now = clock.monotonic()
        for partition, case, due in list(self._dues()):
            if due > now:
                continue
            if case.letter is not None:
                self._outcomes.publish(partition, case)
            elif self._outcomes.waiting.may_try(case):
                case.due = None
                self.engine.queues.again(case.task)

    def resume(self, task: Task) -> None:
        """Hold a record that failed under an earlier owner until its next attempt is due."""
        case = task.trouble()
        case.state, seconds = resumed(self._policy, case.state, now=clock.wall(), rng=self._rng)
        case.due = clock.monotonic() + seconds
        self._keeper.keep(task.place, case)

    def _dues(self) -> Iterator[tuple[Partition, Trouble, float]]:
        """Yield what may be tried again at some time: of each lane the first one that failed."""
        assert self.engine is not None
        queues = self.engine.queues
        for partition in self._partitions:
            if partition.halted:
                continue
            for case in partition.troubles:
                if case.due is not None and queues.leads(case.task):
                    yield partition, case, case.due
