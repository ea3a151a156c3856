"""The questions that the liaison asks the cluster through librdkafka: blocking, bounded, usable from any thread.

Asking about a topic by name would create it where brokers create topics automatically, so nothing here does.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from confluent_kafka import ConsumerGroupTopicPartitions, IsolationLevel, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic, OffsetSpec  # type: ignore[attr-defined]  # it has no __all__

from ....worker.spec import KafkaSpec
from ...decide.topics import Topic

CHUNK: Final = 500
"""Partitions per request; at most 1000. librdkafka merges the answers of one request in O(n²)."""
GRACE: Final = 1.0
"""Seconds beyond librdkafka's own limit after which its answer is no longer waited for."""

Key = tuple[str, int]


class ClusterError(Exception):
    """The cluster did not answer, or refused; the message is for a log line."""


@dataclass(frozen=True, slots=True)
class Read:
    """What was read: a key that is missing could not be, and `reason` tells why of one of them."""

    offsets: Mapping[Key, int | None] = field(default_factory=dict)
    reason: str | None = None


class Cluster:
    """An AdminClient with time limits (seconds). `properties` are librdkafka's."""

    def __init__(self, properties: Mapping[str, Any], isolation: Literal["read_committed", "read_uncommitted"]) -> None:
        self._admin = AdminClient({**properties, "allow.auto.create.topics": "false"})
        committed = isolation == "read_committed"
        self._isolation = IsolationLevel.READ_COMMITTED if committed else IsolationLevel.READ_UNCOMMITTED

    def serve(self, seconds: float) -> None:
        """Wait up to `seconds` and deliver librdkafka's log lines and errors meanwhile, to callbacks on this thread."""
        self._admin.poll(seconds)

    def ping(self, seconds: float) -> None:
        """Ask for the list of brokers.

        Raises:
            ClusterError: no broker answered in time.
        """
        _result(self._admin.describe_cluster(request_timeout=seconds), seconds)

    def topics(self, seconds: float) -> list[Topic]:
        """Return every topic that this client may see.

        Raises:
            ClusterError: no broker answered in time.
        """
        try:
            metadata = self._admin.list_topics(timeout=seconds)
        except KafkaException as error:
            raise ClusterError(_sentence(error)) from error
        return sorted((_topic(row) for row in metadata.topics.values() if row.partitions), key=lambda topic: topic.name)

    def create_topic(self, name: str, partitions: int, replication: int, seconds: float) -> bool:
        """Create a topic and return whether it is new.

        Raises:
            ClusterError: it could not be created.
        """
        new = NewTopic(name, num_partitions=partitions, replication_factor=replication)
        created = self._admin.create_topics([new], request_timeout=seconds)
        try:
            _result(created[name], seconds)
        except ClusterError as error:
            if isinstance(error.__cause__, KafkaException) and _name(error.__cause__) == "TOPIC_ALREADY_EXISTS":
                return False
            raise
        return True

    def committed(self, group: str, keys: Sequence[Key], seconds: float) -> Read:
        """Return what `group` has committed; None: nothing."""
        asked = [
            self._admin.list_consumer_group_offsets(
                [ConsumerGroupTopicPartitions(group, [TopicPartition(*key) for key in chunk])], request_timeout=seconds
            )[group]
            for chunk in _chunks(keys)
        ]
        offsets: dict[Key, int | None] = {}
        reason = None
        for future in asked:
            try:
                rows = _result(future, seconds).topic_partitions
            except ClusterError as error:
                reason = str(error)
                continue
            for row in rows:
                if row.error is not None:
                    reason = f"{row.topic}[{row.partition}]: {row.error.str()}"
                else:
                    offsets[row.topic, row.partition] = row.offset if row.offset >= 0 else None
        return Read(offsets, reason)

    def committed_topics(self, group: str, seconds: float) -> list[str]:
        """Return the topics that `group` has committed offsets of.

        Raises:
            ClusterError: the coordinator did not answer in time, or refused.
        """
        asked = self._admin.list_consumer_group_offsets([ConsumerGroupTopicPartitions(group)], request_timeout=seconds)
        return sorted({row.topic for row in _result(asked[group], seconds).topic_partitions})

    def ends(self, keys: Sequence[Key], seconds: float) -> Read:
        """Return the offset after the last record that a consumer of this isolation level may see."""
        return self._offsets(keys, OffsetSpec.latest, seconds)

    def starts(self, keys: Sequence[Key], seconds: float) -> Read:
        """Return the offset of the first record that is still there."""
        return self._offsets(keys, OffsetSpec.earliest, seconds)

    def _offsets(self, keys: Sequence[Key], spec: Callable[[], OffsetSpec], seconds: float) -> Read:
        asked: dict[TopicPartition, Future[Any]] = {}
        for chunk in _chunks(keys):
            wanted = {TopicPartition(*key): spec() for key in chunk}
            asked |= self._admin.list_offsets(wanted, isolation_level=self._isolation, request_timeout=seconds)
        offsets: dict[Key, int | None] = {}
        reason = None
        for partition, future in asked.items():
            try:
                offsets[partition.topic, partition.partition] = _result(future, seconds).offset
            except ClusterError as error:
                reason = f"{partition.topic}[{partition.partition}]: {error}"
        return Read(offsets, reason)


def isolation_of(kafka: KafkaSpec) -> Literal["read_committed", "read_uncommitted"]:
    """Return the workers' isolation level: librdkafka's default for consumers unless configured."""
    key = "isolation.level"
    value = kafka.consumer.get(key, kafka.client.get(key, "read_committed"))
    return "read_uncommitted" if value == "read_uncommitted" else "read_committed"


def _topic(row: Any) -> Topic:
    return Topic(row.topic, len(row.partitions), max(len(partition.replicas) for partition in row.partitions.values()))


def _chunks(keys: Sequence[Key]) -> Iterator[Sequence[Key]]:
    return (keys[first : first + CHUNK] for first in range(0, len(keys), CHUNK))


def _result(future: "Future[Any]", seconds: float) -> Any:
    try:
        return future.result(seconds + GRACE)
    except KafkaException as error:
        raise ClusterError(_sentence(error)) from error
    except FutureTimeoutError as error:
        raise ClusterError(f"no answer within {seconds + GRACE:.0f} s") from error


def _name(error: KafkaException) -> str:
    return str(error.args[0].name())


def _sentence(error: KafkaException) -> str:
    return f"{_name(error)}: {error.args[0].str()}"
