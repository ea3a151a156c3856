"""How records get into the queues, and out of them again where their partition is not to go on."""

from collections.abc import Callable

from . import clock
from .decide.queues import Order, Queues, name_of
from .inbox import Inbox, Run
from .overflow import Overflow
from .partition import Partition, offset_of
from .partitions import Partitions
from .task import Task


class Entrance:
    """Fills `queues` from the inbox."""

    def __init__(self, queues: Queues[Task], order: Order, inbox: Inbox, partitions: Partitions) -> None:
        self._queues = queues
        self._order: Order = order
        self._inbox = inbox
        self._partitions = partitions
        self._version = -1
        self.overflow = Overflow(inbox)
        self.resume: Callable[[Task], None] = queues.add
        """Holds a record that failed under an earlier owner until its next attempt is due."""
        self.set_aside: Callable[[Task], bool] = lambda _: False
        """Asked before a record is begun: whether no call is to be made for it, and somebody else deals with it."""

    def take(self, limit: int) -> None:
        """Queue up to `limit` records of what was received."""
        for run in self._inbox.take_batch(limit):
            self._queue(run)

    def follow(self) -> None:
        """Keep what waits of partitions that are not to go on, drop what is of those that are not ours any more."""
        if self._version != self._partitions.version:
            self._version = self._partitions.version
            for place in self._queues.places():
                assert isinstance(place, Partition)
                self._check(place)
        self.overflow.follow()

    def _check(self, partition: Partition) -> None:
        if not partition.owned:
            self._queues.forget(partition)
        elif partition.blocked:
            waiting, again = self._queues.withdraw(partition)
            partition.keep(task.message for task in waiting)
            for task in again:
                task.trouble().due = clock.monotonic()

    def _queue(self, run: Run) -> None:
        partition, messages = run.partition, run.messages
        if not partition.owned:
            return
        if partition.blocked:
            partition.keep(messages)
            return
        if partition in self.overflow:
            self.overflow.put(partition, messages)
            return
        if partition.start is None:
            partition.begin(offset_of(messages[0]))
        for at, message in enumerate(messages):
            offset = offset_of(message)
            if not partition.may_begin(offset):
                self.overflow.put(partition, messages[at:])
                return
            task = Task(partition, message, name_of(self._order, message.key(), offset))
            if not self.set_aside(task):
                partition.offsets.open(offset)
                self._add(task)

    def _add(self, task: Task) -> None:
        if task.offset in task.place.attempts:
            task.trouble()
            if self._queues.vacant(task):  # else it has waited for what is before it
                self.resume(task)
                return
        self._queues.add(task)
