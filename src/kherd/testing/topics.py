"""What tests ask any cluster for: topics with leaders, offsets, groups; over confluent-kafka's AdminClient."""

from collections.abc import Mapping
from typing import Final

from confluent_kafka import Consumer, KafkaException, TopicPartition
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # it has no __all__
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    OffsetSpec,
    ResourceType,
)
from confluent_kafka.admin import ConfigResource as Resource  # type: ignore[attr-defined]  # likewise
from confluent_kafka.cimpl import NewTopic
from kafka.admin import ConfigResource, ConfigResourceType, KafkaAdminClient

from .wait import until

ANSWER: Final = 10.0
"""Seconds an admin call may take on a machine that is also compiling, testing and running three brokers."""

QUIET: Final = {"log_level": "0", "reconnect.backoff.ms": "10", "reconnect.backoff.max.ms": "200"}


class Cluster:
    """A cluster somebody runs: where it is, and how `user` (None: the tests themselves) talks to it."""

    def __init__(self, bootstrap: str, size: int = 1) -> None:
        self.bootstrap = bootstrap
        self.size = size

    def client_properties(self, user: str | None = None) -> dict[str, str]:
        """Return librdkafka properties for a client of `user`."""
        if user is not None:
            raise ValueError(f"this cluster is not secured: it has no user {user!r}")
        return {"bootstrap.servers": self.bootstrap}

    @property
    def own_properties(self) -> dict[str, str]:
        """Properties for clients of the tests themselves: they may do everything, and reconnect at once."""
        return {**self.client_properties(), **QUIET}

    def admin(self) -> AdminClient:
        """Return an admin client that may do everything; hold it until its futures are done."""
        return AdminClient(dict(self.own_properties))

    def create_topic(self, name: str, partitions: int = 4, rf: int | None = None, **config: str) -> str:
        """Create a topic and wait until every leader answers; `min_insync_replicas="2"` sets that property."""
        settings = {key.replace("_", "."): value for key, value in config.items()}
        copies = min(3, self.size) if rf is None else rf
        topic = NewTopic(name, num_partitions=partitions, replication_factor=copies, config=settings)
        admin = self.admin()
        admin.create_topics([topic], operation_timeout=ANSWER)[name].result(ANSWER)
        until(lambda: self.serves(name, partitions), ANSWER, f"the leaders of {name} to answer")
        return name

    def set_topic(self, name: str, **config: str) -> None:
        """Set properties of a topic, `max_message_bytes="1000"`; the others stay as they are."""
        entries = [
            ConfigEntry(key.replace("_", "."), value, incremental_operation=AlterConfigOpType.SET)
            for key, value in config.items()
        ]
        topic, admin = Resource(ResourceType.TOPIC, name, incremental_configs=entries), self.admin()
        admin.incremental_alter_configs([topic])[topic].result(ANSWER)

    def time_group(self, group: str, *, heartbeat: float, session: float | None = None) -> None:
        """Set the KIP-848 heartbeat interval and session timeout of one group, in seconds; on an unsecured cluster.

        By kafka-python, because librdkafka has no group settings.
        """
        wanted = {"consumer.heartbeat.interval.ms": heartbeat, "consumer.session.timeout.ms": session}
        configs = {key: str(int(value * 1000)) for key, value in wanted.items() if value is not None}
        client = KafkaAdminClient(bootstrap_servers=self.bootstrap)
        try:
            answer = client.alter_configs([ConfigResource(ConfigResourceType.GROUP, group, configs)])["group"][group]
        finally:
            client.close()
        if str(answer) != "OK":
            raise ValueError(f"group {group}: {answer}")

    def delete_topic(self, name: str) -> None:
        """Delete a topic."""
        admin = self.admin()
        admin.delete_topics([name], operation_timeout=ANSWER)[name].result(ANSWER)

    def ends(self, topic: str) -> dict[int, int]:
        """Return the end offset of each partition."""
        return self._offsets(topic, OffsetSpec.latest())  # type: ignore[no-untyped-call]  # it has no annotations

    def starts(self, topic: str) -> dict[int, int]:
        """Return the first offset of each partition that is still there."""
        return self._offsets(topic, OffsetSpec.earliest())  # type: ignore[no-untyped-call]  # it has no annotations

    def committed(self, group: str, topic: str) -> dict[int, int]:
        """Return what `group` has committed in `topic`; partitions without a commit are missing."""
        numbers = range(len(self.admin().list_topics(topic, timeout=ANSWER).topics[topic].partitions))
        found = committed(self.own_properties, group, [TopicPartition(topic, number) for number in numbers])
        return {at.partition: at.offset for at in found if at.offset >= 0}

    def serves(self, topic: str, partitions: int) -> bool:
        """Whether the leaders of so many partitions of `topic` answer: some time after they were made."""
        try:
            return len(self.ends(topic)) == partitions
        except (KafkaException, KeyError):
            return False

    def _offsets(self, topic: str, which: OffsetSpec) -> dict[int, int]:
        admin = self.admin()
        count = len(admin.list_topics(topic, timeout=ANSWER).topics[topic].partitions)
        asked = {TopicPartition(topic, number): which for number in range(count)}
        answers = admin.list_offsets(asked, request_timeout=ANSWER)
        return {at.partition: future.result(ANSWER).offset for at, future in answers.items()}


def brokers_answering(admin: AdminClient) -> int:
    """Return how many brokers the cluster says it has; 0 if it does not answer."""
    try:
        return len(admin.list_topics(timeout=2.0).brokers)
    except KafkaException:
        return 0


def committed(properties: Mapping[str, str], group: str, partitions: list[TopicPartition]) -> list[TopicPartition]:
    """Return the committed offsets, asked by a consumer that never joins.

    Not by AdminClient.list_consumer_group_offsets: that ends the process by SIGSEGV when the coordinator is
    just moving or loading (librdkafka #5040).
    """
    consumer = Consumer({**properties, "group.id": group})
    try:
        return consumer.committed(partitions, timeout=ANSWER)
    finally:
        consumer.close()


def coordinated(properties: Mapping[str, str]) -> bool:
    """Whether groups have a coordinator: asking for one has its topic made, which takes a second."""
    try:
        committed(properties, "nobody", [TopicPartition("nothing", 0)])
    except KafkaException:
        return False
    return True


def in_sync(admin: AdminClient) -> bool:
    """Whether every partition has a leader and all its copies are in sync."""
    try:
        topics = admin.list_topics(timeout=2.0).topics.values()
    except KafkaException:
        return False
    partitions = [partition for topic in topics for partition in topic.partitions.values()]
    return all(one.leader >= 0 and len(one.isrs) == len(one.replicas) for one in partitions)
