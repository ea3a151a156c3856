"""One assignment of one partition, from its on_assign to its end: a later assignment is another object.

So whatever comes late (a commit's answer, a delivery, a buffered record) names the object it was begun under, and is
dropped if that is not `owned` any more.
"""

from bisect import insort
from collections.abc import Iterable, Sequence
from typing import Any

from confluent_kafka import Message

from .board import NONE, passed_word
from .boardwriter import FIRST_WORD, BoardWriter, committed_word, done_word, epoch_word, sent_word
from .decide.handover import METADATA, Commit, Identity
from .decide.offsets import Offsets
from .decide.pressure import Key
from .trouble import Trouble

Messages = Sequence[Message]


class Partition:
    """One epoch of one partition."""

    __slots__ = (
        "_board",
        "_committed_word",
        "_done_word",
        "_epoch",
        "_floor",
        "backlog",
        "committed",
        "halted",
        "identified",
        "key",
        "metadata",
        "number",
        "offsets",
        "owned",
        "passed_word",
        "row",
        "sent",
        "start",
        "topic",
        "topic_index",
        "troubles",
        "waiting",
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
        self.waiting = False
        """Whether it is not known yet where it begins."""
        self.identified = False
        """Whether the board says which topic it is."""
        self._floor: int | None = None
        self._epoch = NONE
        self.troubles: list[Trouble] = []
        """Records that failed, by offset: while there are any, nothing else of the partition is begun."""
        self.backlog: list[Message] = []
        """What was received of it meanwhile, in order."""
        self.row = row = board.assign(topic, number, nonce)
        self.topic_index = board.topic(topic)
        self.passed_word = passed_word(self.topic_index)
        self._board = board
        self._done_word = done_word(row)
        self._committed_word = committed_word(row)

    @property
    def blocked(self) -> bool:
        """Whether it waits: for a retry, for an operator, or for its start to be known."""
        return self.halted or self.waiting or bool(self.troubles)

    @property
    def due(self) -> float | None:
        """When its lowest failed record is to be tried again, in monotonic seconds; None while nothing is."""
        return None if self.halted or not self.troubles else self.troubles[0].due

    @property
    def held(self) -> bool:
        """Whether a record's attempts are exhausted and it waits all the same."""
        return any(trouble.state.held for trouble in self.troubles)

    def based(self, commit: Commit) -> None:
        """Note what the group had committed when the partition became ours."""
        if self.row is not None:
            self._board.base(self.row, commit)

    def identify(self, identity: Identity) -> None:
        """Note which topic it is; what was known first counts."""
        if self.row is not None and not self.identified:
            self._board.identify(self.row, identity)
        self.identified = True

    def led(self, epoch: int | None) -> None:
        """Note an epoch in which its leader has answered."""
        if epoch is not None and epoch > self._epoch:
            self._epoch = self._board.words[epoch_word(self.row)] = epoch

    def go_on(self, offset: int) -> None:
        """Begin at `offset`: all below it is done, and left out if it is still received."""
        self._floor = offset
        self.backlog = self._from_floor(self.backlog)
        self.offsets.reach(offset)
        self.show()

    def received(self, messages: Messages) -> Messages:
        """Return those of `messages`, which are in order and at least one, that are to be handled."""
        self.led(messages[-1].leader_epoch())
        if self._floor is None:
            return messages
        left = self._from_floor(messages)
        if left:
            self._floor = None
        return left

    def _from_floor(self, messages: Messages) -> list[Message]:
        return [message for message in messages if self._floor is None or offset_of(message) >= self._floor]

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

    def sending(self, offset: int) -> None:
        """Note that a commit of `offset` is about to be sent."""
        word = sent_word(self.row)
        self._board.words[word] = max(self._board.words[word], offset)

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


def size_of(messages: Messages) -> int:
    """Return the bytes of the values of `messages`."""
    return sum(map(len, messages))


def offset_of(message: Any) -> int:
    """Return the offset of a record: one that was received has one."""
    offset: int = message.offset()
    return offset
