"""Where a partition without a commit begins under `kafka.start = "latest"`: found at its assignment, committed at once.

With nothing committed before the first record is finished, whoever comes after a crash or a rebalance would begin at
the end as it is then, and skip what has come meanwhile. So the first records wait for that commit, for a moment.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from confluent_kafka import KafkaException

from . import clock, events, log
from .commit import Committer
from .decide.handover import Log
from .decide.pressure import Key
from .inbox import Inbox
from .kafka import Client
from .partition import Partition, offset_of
from .pulse import Pulse

COMMITTED_SECONDS: Final = 0.3
"""For what is committed, between records."""
RETRY_FIRST: Final = 1.0
RETRY_MOST: Final = 30.0
HOLD_SECONDS: Final = 1.0
"""How long records wait for the commit of the start: during a rebalance it may be refused for longer."""


class Starts:
    """The starts that are not safe yet. `start` is `kafka.start`: but for "latest" there are none."""

    def __init__(self, client: Client, committer: Committer, inbox: Inbox, pulse: Pulse, start: str) -> None:
        self._client = client
        self._committer = committer
        self._inbox = inbox
        self._pulse = pulse
        self._earliest, self._latest = start == "earliest", start == "latest"
        self._uncommitted: set[Partition] = set()
        self._hold_until = 0.0
        self._unknown: dict[Partition, int | None] = {}
        self._retry_at = 0.0
        self._pause = RETRY_FIRST
        self.open = False
        """Whether there are any: then `look` is to be called on each turn of the loop."""
        self.holding = False
        """Whether records are to wait."""

    def assigned(self, partitions: Sequence[Partition]) -> Mapping[Key, int]:
        """Return where `partitions` begin, which have no commit; called in their on_assign, raises nothing of Kafka's.

        What is missing begins where librdkafka finds it should; under "latest" it is looked up again later.
        """
        if not self._latest or not partitions:
            return {}
        by_key = {one.key: one for one in partitions}
        try:
            found, reason = self._client.ends(by_key), "a leader does not answer"
        except KafkaException as error:
            found, reason = {}, error.args[0].str()
        for key, start in found.items():
            self._commit(by_key[key], start)
        unknown = [one for one in partitions if one.key not in found]
        if unknown:
            self._look_later(unknown)
            where = ", ".join(f"{one.topic}[{one.number}]" for one in unknown)
            log.emit(events.START_UNKNOWN, partitions=where, reason=reason)
        return found

    def first_of(self, found: Log) -> int | None:
        """Return where a partition of which nothing is committed begins, by its log; None if that does not tell."""
        return found.start if self._earliest else None

    def late(self, partition: Partition) -> None:
        """Find out where `partition` begins, of which only now is known that it has no commit."""
        if self._latest:
            self._look_later([partition])

    def look(self) -> None:
        """Learn what was answered and what was unknown; between records, never in a callback."""
        now = clock.monotonic()
        self._unknown = {one: end for one, end in self._unknown.items() if one.owned}
        if self._unknown:
            self._learn()
        if self._unknown and now >= self._retry_at and not self._pulse.quiet:
            self._try_again(now)
        if self._uncommitted:
            self._committer.tick(now, at_once=True)
        self._uncommitted = {one for one in self._uncommitted if one.owned and one.committed is None}
        self.holding = bool(self._uncommitted) and now < self._hold_until
        self.open = self.holding or bool(self._unknown)

    def _look_later(self, partitions: Sequence[Partition]) -> None:
        self._unknown.update(dict.fromkeys(partitions))
        self._pause = RETRY_FIRST
        self._retry_at = clock.monotonic() + self._pause
        self.open = True

    def _commit(self, partition: Partition, start: int) -> None:
        partition.offsets.reach(start)
        partition.show()
        self._committer.progress(partition, 0)
        self._uncommitted.add(partition)
        self._hold_until = clock.monotonic() + HOLD_SECONDS
        self.open = self.holding = True

    def _learn(self) -> None:
        """Take the first record of a partition, if one has come, for its start: librdkafka has looked it up."""
        for run in self._inbox:
            if run.partition in self._unknown:
                del self._unknown[run.partition]
                self._commit(run.partition, offset_of(run.messages[0]))

    def _try_again(self, now: float) -> None:
        """Look unknown starts up. An end seen twice, with no record between, is one: what is below it has come."""
        self._pause = min(2 * self._pause, RETRY_MOST)
        self._retry_at = now + self._pause
        by_key = {one.key: one for one in self._unknown}
        try:
            found = self._look_up(list(by_key))
        except KafkaException:
            return
        for key, end in found.items():
            partition = by_key[key]
            if end is not None and end != self._unknown[partition]:
                self._unknown[partition] = end
                continue
            del self._unknown[partition]
            if end is not None:
                self._commit(partition, end)

    def _look_up(self, keys: Sequence[Key]) -> Mapping[Key, int | None]:
        """Return the end of each partition without a commit, None for one with; what is unknown is missing.

        Raises:
            KafkaException: there is no answer in time.
        """
        committed = self._client.committed(keys, COMMITTED_SECONDS)
        fresh = [key for key, commit in committed.items() if commit.offset is None]
        ends = self._client.ends(fresh) if fresh else {}
        return {key: None for key, commit in committed.items() if commit.offset is not None} | dict(ends)
