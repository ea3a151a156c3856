"""Records that failed, where handler calls run beside each other: each holds its lane alone until it has run again."""

from collections.abc import Iterator

from . import clock
from .engine import Engine
from .outcomes import Outcomes
from .partition import Partition
from .partitions import Partitions
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

    def settled(self, partition: Partition, case: Trouble) -> None:
        """Go on with its lane."""
        del partition
        assert self.engine is not None
        self.engine.queues.release(case.task)


class Retries:
    """Has failed records run again when they are due; it has the face of a `retrier.Retrier`."""

    def __init__(self, partitions: Partitions, outcomes: Outcomes) -> None:
        self._partitions = partitions
        self._outcomes = outcomes
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
            else:
                case.due = None
                self.engine.queues.again(case.task)

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
