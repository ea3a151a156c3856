"""The partitions of a consumer: those that are ours, and which of them wait."""

import random
from collections.abc import Iterator

from confluent_kafka import Message

from .boardwriter import BoardWriter
from .counters import Counter
from .decide.assignment import State
from .decide.halted import Halted
from .decide.pressure import Key
from .partition import LoosePartition, Partition, size_of
from .trouble import Rest, Trouble


class Partitions:
    """The partitions of this consumer: what the rebalance callbacks change and everything else reads."""

    def __init__(self, board: BoardWriter, *, in_order: bool = True) -> None:
        self._board = board
        self._in_order = in_order
        self._rng = random.SystemRandom()
        self._owned: dict[Key, Partition] = {}
        self._halted = Halted()
        self.states: dict[Key, State] = {}
        self.blocked: dict[Key, Partition] = {}
        self.version = 0
        """Changes with what is ours and with what is blocked."""
        self.fresh: set[Key] = set()
        """Assigned since the pauses were last reconciled."""
        self.dirty: set[Partition] = set()
        """With progress since the last commit was sent."""

    def __iter__(self) -> Iterator[Partition]:
        return iter(list(self._owned.values()))

    def __len__(self) -> int:
        return len(self._owned)

    def get(self, topic: str, number: int) -> Partition | None:
        """Return the present epoch of a partition, None if it is not ours."""
        return self._owned.get((topic, number))

    def keys(self) -> frozenset[Key]:
        """Return the keys of all that are ours."""
        return frozenset(self._owned)

    def open(self, key: Key) -> Partition:
        """Begin a new epoch."""
        kind = Partition if self._in_order else LoosePartition
        partition = kind(*key, self._rng.getrandbits(63), self._board)
        self._owned[key] = partition
        self.version += 1
        self.fresh.add(key)
        if self._halted.covers(key):
            partition.halted, self.blocked[key] = True, partition
        self._board.put(Counter.ASSIGNED, len(self._owned))
        return partition

    def forget(self, key: Key) -> None:
        """End an epoch: what is under way for it counts no more."""
        partition = self._owned.pop(key, None)
        if partition is None:
            return
        partition.owned = False
        self.version += 1
        self.dirty.discard(partition)
        self.blocked.pop(key, None)
        self.fresh.discard(key)
        self._board.unassign(*key)
        self._board.put(Counter.ASSIGNED, len(self._owned))

    def block(self, partition: Partition, trouble: Trouble) -> None:
        """Note that a record failed; where they go in order, begin nothing of `partition` until it is settled."""
        partition.block(trouble)
        if self._in_order and partition.key not in self.blocked:
            self.blocked[partition.key] = partition
            self.version += 1

    def halt(self, halted: Halted) -> list[tuple[Partition, list[Message]]]:
        """Begin nothing of what is `halted`; return what goes on, each with what has been received of it meanwhile."""
        if halted is self._halted:
            return []
        self._halted = halted
        going_on = []
        for key, partition in self._owned.items():
            before, partition.halted = partition.halted, halted.covers(key)
            if partition.halted and key not in self.blocked:
                self.blocked[key] = partition
                self.version += 1
            elif before and not partition.blocked:
                going_on.append((partition, self.unblock(partition)))
        return going_on

    def hold(self, partition: Partition) -> None:
        """Begin nothing of `partition` until it is known where it begins."""
        partition.waiting = True
        self.blocked[partition.key] = partition
        self.version += 1

    def rest(self, partition: Partition, rest: Rest) -> None:
        """Begin nothing of `partition` until a list that failed is due again."""
        partition.rest = rest
        self.blocked[partition.key] = partition
        self.version += 1

    def unblock(self, partition: Partition) -> list[Message]:
        """Go on with `partition`; return what has been received of it meanwhile."""
        if self.blocked.pop(partition.key, None) is not None:
            self.version += 1
        backlog, partition.backlog = partition.backlog, []
        return backlog

    def retained(self, *, halted: bool) -> tuple[int, int]:
        """Return how many records blocked partitions keep, `halted` or other ones, and the bytes of their values."""
        those = [one for one in self.blocked.values() if one.halted == halted]
        failed = [[trouble.message for trouble in one.troubles if one.in_order] for one in those]  # else in the queues
        kept = [[*one.backlog, *more] for one, more in zip(those, failed, strict=True)]
        return sum(map(len, kept)), sum(map(size_of, kept))
