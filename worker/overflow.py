"""What was received further ahead of the commit than can be told apart there: it waits, and its partition is paused."""

from collections.abc import Iterable
from typing import Final

from confluent_kafka import Message

from .decide.offsets import WINDOW
from .decide.pressure import Key
from .inbox import Inbox, Run
from .partition import Partition, offset_of, size_of

ROOM: Final = WINDOW // 8
"""Offsets there must be room for before it goes on: a pause drops what is prefetched, so it must not flap."""


class Overflow:
    """It is kept in the backlog of its partition, as what waits for anything else is."""

    def __init__(self, inbox: Inbox) -> None:
        self._inbox = inbox
        self._partitions: list[Partition] = []

    def __contains__(self, partition: Partition) -> bool:
        return partition in self._partitions

    @property
    def records(self) -> int:
        """How many records there are."""
        return sum(len(one.backlog) for one in self._waiting())

    @property
    def bytes(self) -> int:
        """The bytes of their values."""
        return sum(size_of(one.backlog) for one in self._waiting())

    @property
    def keys(self) -> frozenset[Key]:
        """Of which partitions."""
        return frozenset(one.key for one in self._partitions)

    def put(self, partition: Partition, messages: Iterable[Message]) -> None:
        """Have `messages` wait, and what comes after them."""
        partition.keep(messages)
        if partition not in self._partitions:
            self._partitions.append(partition)

    def follow(self) -> None:
        """Let go on what may, and forget what waits for something else as well: that brings it back."""
        for one in list(self._partitions):
            if not one.owned or not one.backlog:
                self._partitions.remove(one)
            elif not one.blocked and one.may_begin(offset_of(one.backlog[0]) + ROOM):
                self._partitions.remove(one)
                backlog, one.backlog = one.backlog, []
                self._inbox.put_back([Run(one, backlog)])

    def _waiting(self) -> Iterable[Partition]:
        """Return those of which nobody else counts the backlog."""
        return (one for one in self._partitions if not one.blocked)
