"""Records arrive as they were sent."""

from collections.abc import Callable

import pytest
from confluent_kafka import (
    TIMESTAMP_CREATE_TIME,
    Consumer,
    IsolationLevel,
    KafkaException,
    Message,
    Producer,
    TopicCollection,
    TopicPartition,
)
from confluent_kafka.admin import OffsetSpec  # type: ignore[attr-defined]  # it has no __all__
from confluent_kafka.cimpl import NewPartitions

from kherd.supervisor.children.broker import limits
from kherd.testing.topics import Cluster
from kherd.testing.wait import until

from .conftest import send

NewTopic = Callable[[int], str]


def read(cluster: Cluster, topic: str, count: int, **more: str) -> list[Message]:
    """Return the first records of partition 0."""
    consumer = Consumer({**cluster.own_properties, "group.id": "reader", **more})
    consumer.assign([TopicPartition(topic, 0, 0)])
    try:
        return list(consumer.consume(count, 10))
    finally:
        consumer.close()


def test_headers_keep_order_repeats_and_none(cluster: Cluster, place: str, new_topic: NewTopic) -> None:
    topic = new_topic(1)
    headers = [("a", b"1"), ("b", None), ("a", b""), ("c", b"\x00\xff")]
    send(cluster, topic, b"v", headers=headers)
    (message,) = read(cluster, topic, 1)
    assert message.headers() == headers


def test_a_tombstone_is_a_record_although_it_is_false(cluster: Cluster, place: str, new_topic: NewTopic) -> None:
    topic = new_topic(1)
    send(cluster, topic, None, key=b"k")
    (message,) = read(cluster, topic, 1)
    assert (message.key(), message.value(), message.error()) == (b"k", None, None)
    assert not message


def test_no_key_and_an_empty_one_are_different(cluster: Cluster, place: str, new_topic: NewTopic) -> None:
    topic = new_topic(1)
    send(cluster, topic, b"", key=b"")
    send(cluster, topic, b"")
    empty, none = read(cluster, topic, 2)
    assert (empty.key(), empty.value()) == (b"", b"")
    assert (none.key(), none.value()) == (None, b"")


def test_the_time_is_the_producers(cluster: Cluster, place: str, new_topic: NewTopic) -> None:
    topic = new_topic(1)
    send(cluster, topic, b"v", timestamp=1_700_000_000_123)
    (message,) = read(cluster, topic, 1)
    assert message.timestamp() == (TIMESTAMP_CREATE_TIME, 1_700_000_000_123)


def test_offsets_of_acknowledged_records_follow_each_other(cluster: Cluster, place: str, new_topic: NewTopic) -> None:
    topic = new_topic(1)
    assert [send(cluster, topic, b"v") for _ in range(3)] == [0, 1, 2]
    assert (cluster.starts(topic), cluster.ends(topic)) == ({0: 0}, {0: 3})


@pytest.mark.parametrize("codec", ["gzip", "snappy", "lz4", "zstd"])
def test_every_compression_comes_back(cluster: Cluster, place: str, new_topic: NewTopic, codec: str) -> None:
    topic = new_topic(1)
    producer = Producer({**cluster.own_properties, "compression.type": codec, "enable.idempotence": True})
    for n in range(100):
        producer.produce(topic, b"%d" % n * 50, partition=0)
    assert producer.flush(20) == 0
    assert [message.value() for message in read(cluster, topic, 100)] == [b"%d" % n * 50 for n in range(100)]


def test_the_end_for_transactional_readers_can_be_asked(cluster: Cluster, place: str, new_topic: NewTopic) -> None:
    topic = new_topic(1)
    send(cluster, topic, b"v")
    admin = cluster.admin()
    asked = {TopicPartition(topic, 0): OffsetSpec.latest()}  # type: ignore[no-untyped-call]  # it has no annotations
    answers = admin.list_offsets(asked, isolation_level=IsolationLevel.READ_COMMITTED, request_timeout=10)
    assert [answer.result(10).offset for answer in answers.values()] == [1]


def test_a_topic_has_an_id_of_its_own(cluster: Cluster, place: str, new_topic: NewTopic) -> None:
    topics = [new_topic(1), new_topic(1)]
    admin = cluster.admin()
    found = admin.describe_topics(TopicCollection(topics), request_timeout=10)
    ids = {str(found[topic].result(10).topic_id) for topic in topics}
    assert len(ids) == 2
    again = admin.describe_topics(TopicCollection(topics), request_timeout=10)
    assert {str(again[topic].result(10).topic_id) for topic in topics} == ids


@pytest.mark.differs(limits.TIMESTAMPS)
def test_offsets_are_found_by_time(cluster: Cluster, place: str, new_topic: NewTopic) -> None:
    topic = new_topic(1)
    for n in range(3):
        send(cluster, topic, b"v", timestamp=1_700_000_000_000 + n * 1000)
    consumer = Consumer({**cluster.own_properties, "group.id": "reader"})
    found = consumer.offsets_for_times([TopicPartition(topic, 0, 1_700_000_001_000)], timeout=10)
    consumer.close()
    assert [at.offset for at in found] == [1]


@pytest.mark.differs(limits.ADMIN, raises=KafkaException)
def test_partitions_can_be_added_by_an_admin_call(cluster: Cluster, place: str, new_topic: NewTopic) -> None:
    topic, admin = new_topic(1), cluster.admin()
    admin.create_partitions([NewPartitions(topic, 2)], operation_timeout=10)[topic].result(20)
    until(lambda: cluster.serves(topic, 2), 10, "the new partition to answer")


@pytest.mark.differs(limits.TRANSACTIONS)
def test_an_aborted_transaction_is_not_read(cluster: Cluster, place: str, new_topic: NewTopic) -> None:
    topic = new_topic(1)
    producer = Producer({**cluster.own_properties, "transactional.id": topic})
    producer.init_transactions(20)
    for value, end in ((b"aborted", producer.abort_transaction), (b"committed", producer.commit_transaction)):
        producer.begin_transaction()
        producer.produce(topic, value, partition=0)
        producer.flush(10)
        end(20)
    found = read(cluster, topic, 1, **{"isolation.level": "read_committed"})
    assert [message.value() for message in found] == [b"committed"]
