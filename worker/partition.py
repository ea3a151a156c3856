"""One assignment of one partition, from its on_assign to its end: a later assignment is another object.

So whatever comes late (a commit's answer, a delivery, a buffered record) names the object it was begun under, and is
dropped if that is not `owned` any more.
"""

import random
from bisect import insort
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

from confluent_kafka import Message

from .board import NONE, Counter
from .boardwriter import FIRST_WORD, BoardWriter, committed_word, done_word
from .decide.assignment import State
from .decide.halted import Halted
from .decide.offsets import Offsets
from .decide.pressure import Key
from .trouble import Trouble

Messages = Sequence[Message]

METADATA: Final = "kherd1;nonce={:016x}"
"""What every commit's metadata says: format version 1, and the assignment it belongs to."""


class Partition:
    """One epoch of one partition."""

    __slots__ = (
        "_board",
        "_committed_word",
        "_done_word",
        "backlog",
        "committed",
        "halted",
        "key",
        "metadata",
        "number",
        "offsets",
        "owned",
        "row",
        "sent",
        "start",
        "topic",
        "topic_index",
        "troubles",
    )

    def __init__(self, topic: str, number: int, nonce: int, board: BoardWriter) -> None:
        self.topic = topic
        self.number = number
        self.key: Key = (topic, number)
        self.metadata = METADATA.format(nonce)
        self.owned = True
        self.offsets = Offsets()
        self.start: int | None = None
        """The first offset begun."""
        self.sent: int | None = None
        """The offset of the newest commit that is not known to have failed."""
        self.committed: int | None = None
        """The offset of the newest commit that was acknowledged."""
        self.halted = False
        """Whether an operator has paused it: what is in flight is finished, nothing is begun or tried again."""
        self.troubles: list[Trouble] = []
        """Records that failed, by offset: while there are any, nothing else of the partition is begun."""
        self.backlog: list[Message] = []
        """What was received of it meanwhile, in order."""
        self.row = row = board.assign(topic, number, nonce)
        self.topic_index = board.topic(topic)
        self._board = board
        self._done_word = done_word(row)
        self._committed_word = committed_word(row)

    @property
    def blocked(self) -> bool:
        """Whether it waits: for a retry, or for an operator."""
        return self.halted or bool(self.troubles)

    @property
    def due(self) -> float | None:
        """When its lowest failed record is to be tried again, in monotonic seconds; None while nothing is."""
        return None if self.halted or not self.troubles else self.troubles[0].due

    @property
    def held(self) -> bool:
        """Whether a record's attempts are exhausted and it waits all the same."""
        return any(trouble.state.held for trouble in self.troubles)

    def begin(self, offset: int) -> None:
        """Note that the record at `offset` is about to be the first to be handled: all below it was, by somebody."""
        self.start = offset
        self._board.words[self._done_word] = offset

    def enter(self) -> int:
        """Enter a series of handler calls on the board; return the word in which the record loop stores what is done.

        That is not `DONE` while an earlier record is open.
        """
        base = None if self.offsets.pending else self.row
        first = self.start if self.offsets.reached is None else self.offsets.reached
        self._board.start_records(self.topic_index, self.number, NONE if first is None else first, base)
        return FIRST_WORD if base is None else self._done_word

    def show(self) -> None:
        """Write what is done to the board."""
        done = self.offsets.committable
        if done is not None:
            self._board.words[self._done_word] = done

    def acknowledged(self, offset: int) -> None:
        """Note that the commit of `offset` was answered."""
        self.committed = offset
        self._board.words[self._committed_word] = offset

    def to_commit(self) -> int | None:
        """Return the offset to commit, None if that is on its way already."""
        done = self.offsets.committable
        return None if done is None or (self.sent is not None and done <= self.sent) else done

    @property
    def uncommitted(self) -> int:
        """How many offsets are done and not known to be committed."""
        done, since = self.offsets.committable, self.start if self.committed is None else self.committed
        return 0 if done is None or since is None else done - since

    def keep(self, records: Iterable[Message]) -> None:
        """Keep `records` until it goes on; of two failed batches the earlier one may come later."""
        self.backlog.extend(records)
        self.backlog.sort(key=offset_of)

    def block(self, trouble: Trouble) -> None:
        """Begin nothing of it until `trouble` is settled; known troubles stay where they are."""
        if trouble not in self.troubles:
            insort(self.troubles, trouble, key=lambda one: one.offset)


class Partitions:
    """The partitions of this consumer: what the rebalance callbacks change and everything else reads."""

    def __init__(self, board: BoardWriter) -> None:
        self._board = board
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
        partition = Partition(*key, self._rng.getrandbits(63), self._board)
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
        """Begin nothing of `partition` until `trouble` is settled."""
        partition.block(trouble)
        if partition.key not in self.blocked:
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

    def unblock(self, partition: Partition) -> list[Message]:
        """Go on with `partition`; return what has been received of it meanwhile."""
        if self.blocked.pop(partition.key, None) is not None:
            self.version += 1
        backlog, partition.backlog = partition.backlog, []
        return backlog

    def retained(self, *, halted: bool) -> tuple[int, int]:
        """Return how many records blocked partitions keep, `halted` or other ones, and the bytes of their values."""
        those = [one for one in self.blocked.values() if one.halted == halted]
        kept = [[*one.backlog, *(trouble.message for trouble in one.troubles)] for one in those]
        return sum(map(len, kept)), sum(map(size_of, kept))


def size_of(messages: Messages) -> int:
    """Return the bytes of the values of `messages`."""
    return sum(map(len, messages))


def offset_of(message: Any) -> int:
    """Return the offset of a record: one that was received has one."""
    offset: int = message.offset()
    return offset
