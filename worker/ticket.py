"""What a delivery is about: which records wait for it, and what it was that had to be delivered."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from confluent_kafka import Message

from .deadletter import Letter
from .partition import Partition
from .trouble import Trouble


class OutputError(Exception):
    """Records that a handler returned could not be produced."""

    __module__ = "kherd"


class Ticket(NamedTuple):
    """What a delivery is about: `amount` records returned for one record, or its `letter`."""

    partition: Partition
    trouble: Trouble
    amount: int
    letter: Letter | None = None
    target: str = ""


class Joint(NamedTuple):
    """What a delivery is about: `amount` records returned for a whole list."""

    lists: Mapping[Partition, Sequence[Message]]
    amount: int
    target: str
