"""Commits: explicit, of owned partitions, at most one in flight; the newest offsets ride on the next.

A commit costs milliseconds on the broker whatever the client does; a client that sends them without bound has most of
its work uncommitted, and waits for all of them when it closes.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from confluent_kafka import KafkaError, KafkaException, TopicPartition

from . import events, log
from .boardwriter import BoardWriter
from .counters import Counter
from .kafka import Answer, Client
from .notes import Notes, Said
from .partition import Partition
from .partitions import Partitions
from .seldom import Seldom

STUCK_SECONDS: Final = 5.0
MANY: Final = 10_000
"""Finished records after which a commit is due, whatever the interval."""
MEANWHILE: Final = frozenset({KafkaError.ILLEGAL_GENERATION, KafkaError.REBALANCE_IN_PROGRESS})
RETRY_SECONDS: Final = 0.1
"""After a refused commit, at the least: during a rebalance every one is refused."""
LONGEST_WAIT: Final = 1.0
"""Of the time between two looks for an answer, what counts as waiting for it: the rest was a call of the handler."""
ANSWER_SECONDS: Final = 0.005
"""About what a broker takes to answer: how long to wait for records meanwhile, when the next commit is due already."""


class Committer:
    """Commits what the partitions have done; `interval` in seconds, 0: whenever there is something new."""

    def __init__(self, client: Client, partitions: Partitions, board: BoardWriter, interval: float) -> None:
        self._client = client
        self._partitions = partitions
        self._board = board
        self._interval = interval
        self._next = 0.0
        self._refused_until = 0.0
        self._sent_at = 0.0
        self._stuck = False
        self._waited = self._watched_at = 0.0
        self._in_flight: dict[Partition, Said] | None = None
        self._seldom = Seldom(10.0)
        self.notes = Notes()
        self.finished = 0
        """Records finished since the last commit was sent."""

    @property
    def unanswered(self) -> bool:
        """Whether a commit is on its way: only polling brings its answer."""
        return self._in_flight is not None

    def progress(self, partition: Partition, records: int) -> None:
        """Note that `records` of `partition` were finished, or that its lowest unfinished one was."""
        self.finished += records
        self._board.words[partition.passed_word] += records
        self._partitions.dirty.add(partition)

    def wait(self, now: float) -> float | None:
        """Return the seconds until there is something to do here; None if there is nothing to commit."""
        if not self._partitions.dirty:
            return None
        return ANSWER_SECONDS if self._in_flight is not None else max(0.0, self._due() - now)

    def _due(self) -> float:
        return self._refused_until if self.finished >= MANY else max(self._next, self._refused_until)

    def tick(self, now: float, *, at_once: bool = False) -> None:
        """Take the answer that has come, tell of one that does not, send what is due."""
        if self._client.answers:
            self._take_answers(now)
        if self._in_flight is not None:
            self._watch(now)
        elif self._partitions.dirty and now >= (self._refused_until if at_once else self._due()):
            self._send(now)

    def settle(self, partitions: Iterable[Partition]) -> None:
        """Commit what is done of `partitions`, which are being revoked, and wait for the answer.

        The commit in flight is not waited for: only this thread could take its answer. It is older, so it changes
        nothing that this one says; its answer finds partitions that are not ours any more.
        """
        offsets = {one: said for one in partitions if (said := self.notes.last(one)) is not None}
        while offsets:
            for partition, said in offsets.items():
                partition.sending(said.offset)
            refused = self._commit_now(offsets)
            smaller = self.notes.smaller(offsets, refused)
            if not smaller and refused:
                self._failed(next(iter(refused.values())))
            offsets = smaller

    def _commit_now(self, offsets: Mapping[Partition, Said]) -> dict[Partition, KafkaError]:
        """Return what was refused, and why."""
        try:
            results = self._client.commit_now(_request(offsets))
        except KafkaException as error:
            return dict.fromkeys(offsets, error.args[0])
        self._board.add(Counter.COMMITS)
        errors = {(row.topic, row.partition): row.error for row in results if row.error is not None}
        return {one: errors[one.key] for one in offsets if one.key in errors}

    def uncommitted(self) -> int:
        """Return how many offsets are done and not known to be committed."""
        return sum(one.uncommitted for one in self._partitions)

    def _send(self, now: float) -> None:
        dirty = self._partitions.dirty
        offsets = {one: said for one in dirty if (said := self.notes.due(one)) is not None}
        dirty.clear()
        self.finished = 0
        if not offsets:
            return
        self._next = now + self._interval
        for partition, said in offsets.items():
            partition.sending(said.offset)
        try:
            self._client.commit(_request(offsets))
        except KafkaException as error:
            dirty.update(offsets)
            self._refused_until = now + RETRY_SECONDS
            self._failed(error.args[0])
            return
        for partition, (offset, text) in offsets.items():
            partition.sent, partition.told = offset, text
        self._in_flight = offsets
        self._sent_at = now
        self._stuck = False

    def _watch(self, now: float) -> None:
        seconds = now - self._sent_at
        if seconds < STUCK_SECONDS:
            return
        if not self._stuck:
            self._stuck, self._waited, self._watched_at = True, 0.0, now
            log.emit(events.COMMIT_STUCK, seconds=seconds)
        self._waited += min(now - self._watched_at, LONGEST_WAIT)
        self._watched_at = now
        self._board.put_waited(self._waited)

    def _take_answers(self, now: float) -> None:
        answers, self._client.answers = self._client.answers, []
        for answer in answers:
            self._take(answer, now)

    def _take(self, answer: Answer, now: float) -> None:
        sent, self._in_flight = self._in_flight or {}, None
        if self._stuck:
            self._stuck = False
            self._board.put_waited(0.0)
        errors = {(one.topic, one.partition): one.error for one in answer.offsets}
        refused = {}
        for partition, (offset, text) in sent.items():
            error = answer.error or errors.get(partition.key)
            if not partition.owned:
                continue
            if error is None:
                if partition.bare:  # what was left out is said again, within the limit that is known by now
                    self._partitions.dirty.add(partition)
                partition.acknowledged(offset, text)
            else:
                refused[partition] = error
                partition.refused()
                self._partitions.dirty.add(partition)
        if not refused:
            self._board.add(Counter.COMMITS)
        elif self.notes.smaller(sent, refused):
            self._next = self._refused_until = now
            self._board.add(Counter.COMMIT_FAILURES)
        else:
            self._refused_until = now + RETRY_SECONDS
            self._failed(next(iter(refused.values())))

    def _failed(self, error: object) -> None:
        self._board.add(Counter.COMMIT_FAILURES)
        if isinstance(error, KafkaError) and error.code() in MEANWHILE:
            return  # a rebalance went on: nothing to mend, the next commit carries the offsets
        if self._seldom("failed"):
            log.emit(events.COMMIT_FAILED, reason=str(error))


def _request(offsets: Mapping[Partition, Said]) -> Sequence[TopicPartition]:
    return [TopicPartition(one.topic, one.number, offset, text) for one, (offset, text) in offsets.items()]
