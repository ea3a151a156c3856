"""One record where handler calls run beside each other: its place in the queues, and what its call came to."""

from collections.abc import Sequence
from typing import NamedTuple

from confluent_kafka import Message

from .decide.lanes import Name
from .decide.pressure import Key
from .errors import Record
from .partition import Partition, offset_of
from .trouble import Trouble


class Task:
    """A record of one epoch of a partition. `case` is what is known of it once it was not just handled and done."""

    __slots__ = ("case", "message", "name", "offset", "place", "size")

    def __init__(self, partition: Partition, message: Message, name: Name) -> None:
        self.place = partition
        self.message = message
        self.name = name
        self.offset = offset_of(message)
        self.size = len(message)
        self.case: Trouble | None = None

    @property
    def home(self) -> Key:
        """The partition, whichever epoch it is of."""
        return self.place.key

    @property
    def attempt(self) -> int:
        """Which attempt its next call is, from 1."""
        return 1 if self.case is None else self.case.state.attempts + 1

    def trouble(self) -> Trouble:
        """Return its case, which it has from now on; it counts what failed under an earlier owner."""
        if self.case is None:
            self.case = self.place.trouble(self.message)
            self.case.task = self
        return self.case


class Ending(NamedTuple):
    """How a call ended: with records to produce or with an error, after so many seconds; `attempt` of its record."""

    task: Task
    attempt: int
    seconds: float
    records: Sequence[Record]
    error: BaseException | None
