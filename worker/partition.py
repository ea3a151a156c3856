"""One assignment of one partition, from its on_assign to its end: a later assignment is another object.

So whatever comes late (a commit's answer, a delivery, a buffered record) names the object it was begun under, and is
dropped if that is not `owned` any more.
"""

from bisect import insort
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from confluent_kafka import Message

from .board import NONE, passed_word
from .boardattempts import Attempts
from .boardwindow import Window
from .boardwriter import FIRST_WORD, BoardWriter, committed_word, done_word, epoch_word, sent_word
from .decide.handover import METADATA, Commit, Identity
from .decide.offsets import WINDOW, Offsets, Runs
from .decide.pressure import Key
from .decide.retry import State
from .sieve import Sieve
from .trouble import Rest, Trouble

Messages = Sequence[Message]


class Partition:
    """One epoch of one partition."""

    in_order = True
    """Whether a record that failed keeps all others of the partition from being begun."""
    rest: Rest | None = None
    """What is known of the list that failed last."""
    waiting = False
    """Whether it is not known yet where it begins."""

    def __init__(self, topic: str, number: int, nonce: int, board: BoardWriter) -> None:
        self.topic, self.number = topic, number
        self.key: Key = (topic, number)
        self.nonce = nonce
        self.metadata = METADATA.format(nonce)
        """What a commit says that has nothing more to say."""
        self.owned = True
        self.offsets = Offsets()
        self.start: int | None = None
        """The first offset begun."""
        self.sent: int | None = None
        """The offset of the newest commit that is not known to have failed."""
        self.committed: int | None = None
        """The offset of the newest commit that was acknowledged."""
        self.told = self.acknowledged_text = ""
        """The metadata of those two."""
        self.bare = False
        """Whether the next commit is to say no more than whose it is: the broker has refused the last one's size."""
        self.crowded = False
        """Whether what commits have to say takes most of the room that the brokers give."""
        self.attempts: dict[int, State] = {}
        """How often unfinished records have failed, by this owner and those before it."""
        self.halted = False
        """Whether an operator has paused it: what is in flight is finished, nothing is begun or tried again."""
        self.identity: Identity | None = None
        """Which topic it is, once the board says so."""
        self._sieve: Sieve | None = None
        self._epoch = NONE
        self.troubles: list[Trouble] = []
        """Records that failed, by offset."""
        self.backlog: list[Message] = []
        """What was received of it meanwhile, in order."""
        self.row = row = board.assign(topic, number, nonce)
        self.topic_index = board.topic(topic)
        self.passed_word = passed_word(self.topic_index)
        self._board = board
        self._done_word = done_word(row)
        self._committed_word = committed_word(row)
        self._window = None if row is None else Window(board.words, row)
        self._tried = None if row is None else Attempts(board.words, row)

    @property
    def blocked(self) -> bool:
        """Whether nothing of it may be begun: it waits for an operator, for its start to be known, or for a retry."""
        return self.halted or self.waiting or self.resting or (self.in_order and bool(self.troubles))

    @property
    def resting(self) -> bool:
        """Whether a list that failed waits."""
        return self.rest is not None and self.rest.due is not None

    @property
    def due(self) -> float | None:
        """When its lowest failed record, or list, is to be tried again, in monotonic seconds; None while nothing is."""
        if self.halted or (self.waiting and not self.troubles):
            return None
        if self.troubles:
            return self.troubles[0].due
        return None if self.rest is None else self.rest.due

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
        if self.identity is None:
            self.identity = identity
            if self.row is not None:
                self._board.identify(self.row, identity)

    def led(self, epoch: int | None) -> None:
        """Note an epoch in which its leader has answered."""
        if epoch is not None and epoch > self._epoch:
            self._epoch = self._board.words[epoch_word(self.row)] = epoch

    def go_on(self, offset: int, done: Runs = (), attempts: Mapping[int, State] | None = None) -> None:
        """Begin at `offset`: all below it and `done` is finished, and left out if it is still received."""
        self.offsets.adopt(offset, done)
        self._sieve = Sieve(self.offsets, offset)
        for at, state in (attempts or {}).items():
            if not self.offsets.is_done(at):
                self.tried(at, state)
        self.backlog = list(self.unfinished(self.backlog))
        self.show()

    @property
    def sifting(self) -> bool:
        """Whether finished records may still be received."""
        return self._sieve is not None

    def received(self, messages: Messages) -> Messages:
        """Return those of `messages`, which are in order and at least one, that are to be handled."""
        self.led(messages[-1].leader_epoch())
        if self._sieve is None:
            return messages
        left = self.unfinished(messages)
        if self._sieve.passed:
            self._sieve = None
        self.show()
        return left

    def unfinished(self, messages: Messages) -> Messages:
        """Return those of `messages`, which were received next, that are not finished."""
        return messages if self._sieve is None else self._sieve.unfinished(messages)

    def may_begin(self, offset: int) -> bool:
        """Return whether the record at `offset`, which is new, may be begun: what is below it must be told apart."""
        done = self.offsets.committable
        return not self.crowded and (done is None or offset < done + WINDOW)

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
        offsets, window = self.offsets, self._window
        done = offsets.committable
        if done is None:
            return
        if window is not None and (offsets.news or window.top):
            window.follow(done, offsets.news)
        else:
            self._board.words[self._done_word] = done
        if offsets.news:
            offsets.news = []

    def tried(self, offset: int, state: State) -> None:
        """Note how often the unfinished record at `offset` has failed."""
        self.attempts[offset] = state
        if self._tried is not None:
            self._tried.put(offset, state)

    def settled(self, offset: int) -> None:
        """Forget how often the record at `offset` has failed: it is finished."""
        if self.attempts.pop(offset, None) is not None and self._tried is not None:
            self._tried.drop(offset)

    def trouble(self, message: Message) -> Trouble:
        """Return `message` as a record that has failed as often as is known."""
        offset = offset_of(message)
        return Trouble(message, offset, state=self.attempts.get(offset, State()))

    def sending(self, offset: int) -> None:
        """Note that a commit of `offset` is about to be sent."""
        word = sent_word(self.row)
        self._board.words[word] = max(self._board.words[word], offset)

    def refused(self) -> None:
        """Note that the newest commit has failed."""
        self.sent, self.told = self.committed, self.acknowledged_text

    def acknowledged(self, offset: int, text: str) -> None:
        """Note that the commit of `offset` was answered."""
        self.committed, self.acknowledged_text, self.bare = offset, text, False
        self._board.words[self._committed_word] = offset

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
        """Note a record that failed; known troubles stay where they are."""
        if trouble not in self.troubles:
            insort(self.troubles, trouble, key=lambda one: one.offset)


class LoosePartition(Partition):
    """One of which records are handled beside each other: one that failed keeps its lane waiting, and nothing else."""

    in_order = False


def size_of(messages: Messages) -> int:
    """Return the bytes of the values of `messages`."""
    return sum(map(len, messages))


def offset_of(message: Any) -> int:
    """Return the offset of a record: one that was received has one."""
    offset: int = message.offset()
    return offset
