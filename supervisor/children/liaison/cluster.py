"""The questions that the liaison asks the cluster through librdkafka: blocking, bounded, in chunks.

Asking about a topic by name would create it where brokers create topics automatically; `handle.OWN` forbids that.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import TimeoutError as FutureTimeoutError
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final

from confluent_kafka import KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic  # type: ignore[attr-defined]  # it has no __all__

from ....worker import clock
from ....worker.spec import KafkaSpec
from ...decide.topics import Topic
from .handle import END, START, AskError, Handle, Isolation, Key

CHUNK: Final = 250
"""Partitions per request; at most 1000. librdkafka searches its lists linearly, O(n²) per answer."""
RENEW: Final = 2.0
"""Seconds to learn who leads what, after a failure."""
GRACE: Final = 1.0
"""Seconds beyond librdkafka's own limit after which its answer is no longer waited for."""


class ClusterError(Exception):
    """The cluster did not answer, or refused; the message is for a log line."""


@dataclass(frozen=True, slots=True)
class Read:
    """What was read: a key that is missing could not be, and `reason` tells why of one of them."""

    offsets: Mapping[Key, int | None] = field(default_factory=dict)
    reason: str | None = None


class Cluster:
    """The cluster as `group` sees it at its workers' isolation level, for one thread; `properties` are librdkafka's."""

    def __init__(self, properties: Mapping[str, Any], group: str, isolation: Isolation) -> None:
        self._properties = properties
        self._handle = Handle(properties, group, isolation)
        self._groups: dict[str, Handle] = {}
        self._known: str | None = None
        self._outdated = False

    def serve(self, seconds: float) -> None:
        """Wait up to `seconds` and deliver librdkafka's log lines and token requests meanwhile."""
        self._handle.serve(seconds)

    @property
    def heard(self) -> str:
        """What librdkafka last said of a broker that it cannot use; empty if nothing."""
        return self._handle.heard

    def ping(self, seconds: float) -> None:
        """Ask any broker anything.

        Raises:
            ClusterError: no broker answered in time.
        """
        try:
            self._handle.topics(seconds, self._known)
        except AskError as error:
            raise ClusterError(str(error)) from error

    def topics(self, seconds: float) -> list[Topic]:
        """Return every topic that this client may see.

        Raises:
            ClusterError: no broker answered in time.
        """
        try:
            topics = sorted(self._handle.topics(seconds), key=lambda topic: topic.name)
        except AskError as error:
            raise ClusterError(str(error)) from error
        self._known = topics[0].name if topics else None
        return topics

    def create_topic(self, name: str, partitions: int, replication: int, seconds: float) -> bool:
        """Create a topic and return whether it is new.

        Raises:
            ClusterError: it could not be created.
        """
        admin = AdminClient({**self._properties})
        new = NewTopic(name, num_partitions=partitions, replication_factor=replication)
        try:
            admin.create_topics([new], request_timeout=seconds)[name].result(seconds + GRACE)
        except KafkaException as error:
            if error.args[0].name() == "TOPIC_ALREADY_EXISTS":
                return False
            raise ClusterError(f"{error.args[0].name()}: {error.args[0].str()}") from error
        except FutureTimeoutError as error:
            raise ClusterError(f"no answer within {seconds + GRACE:g} s") from error
        return True

    def committed(self, group: str, keys: Sequence[Key], seconds: float) -> Read:
        """Return what `group` has committed; None: nothing."""
        if group not in self._groups:
            # Never read_committed: librdkafka would wait until no transaction has offsets pending.
            self._groups[group] = Handle(self._properties, group, "read_uncommitted")
        return _read(self._groups[group].committed, keys, seconds, uncommitted=True)

    def ends(self, keys: Sequence[Key], seconds: float) -> Read:
        """Return the offset after the last record that a consumer of this isolation level may see."""
        return self._offsets(keys, END, seconds)

    def starts(self, keys: Sequence[Key], seconds: float) -> Read:
        """Return the offset of the first record that is still there."""
        return self._offsets(keys, START, seconds)

    def _offsets(self, keys: Sequence[Key], which: int, seconds: float) -> Read:
        if self._outdated:
            # Of a partition that had no leader librdkafka says so until it reads the topics again, for minutes.
            with suppress(AskError):
                self._handle.topics(min(seconds, RENEW))
        read = _read(lambda chunk, until: self._handle.offsets(chunk, which, until), keys, seconds)
        self._outdated = read.reason is not None
        return read


def isolation_of(kafka: KafkaSpec) -> Isolation:
    """Return the workers' isolation level: librdkafka's default for consumers unless configured."""
    key = "isolation.level"
    value = kafka.consumer.get(key, kafka.client.get(key, "read_committed"))
    return "read_uncommitted" if value == "read_uncommitted" else "read_committed"


def _read(
    ask: Callable[[Sequence[Key], float], list[TopicPartition]],
    keys: Sequence[Key],
    seconds: float,
    *,
    uncommitted: bool = False,
) -> Read:
    """Ask chunk by chunk, all within `seconds`; one partition without a leader costs its whole chunk.

    `uncommitted`: no offset is a fact (None), not a failure.
    """
    deadline = clock.monotonic() + seconds
    offsets: dict[Key, int | None] = {}
    reason = None
    for chunk in _chunks(keys):
        try:
            rows = ask(chunk, deadline)
        except AskError as error:
            reason = str(error)
            continue
        for row in rows:
            if row.error is not None or (row.offset < 0 and not uncommitted):
                reason = f"{row.topic}[{row.partition}]: {row.error.str() if row.error else 'no offset'}"
            else:
                offsets[row.topic, row.partition] = row.offset if row.offset >= 0 else None
    return Read(offsets, reason)


def _chunks(keys: Sequence[Key]) -> Iterator[Sequence[Key]]:
    return (keys[first : first + CHUNK] for first in range(0, len(keys), CHUNK))
