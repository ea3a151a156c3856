"""The embedded broker's cluster: topics as asked for, records kept, and faults on demand."""

from collections.abc import Iterator

import pytest
from confluent_kafka import Consumer, KafkaError, Message, Producer

from kherd.supervisor.children.broker.library import EmbeddedBrokerError
from kherd.supervisor.children.broker.main import start
from kherd.supervisor.children.broker.mock import MockCluster
from kherd.supervisor.children.broker.spec import BrokerSpec
from kherd.testing.wait import until
from kherd.worker import clock

PRODUCE = 0
INVALID_RECORD = 87


@pytest.fixture
def cluster() -> Iterator[MockCluster]:
    with start(BrokerSpec({"orders": 3}, brokers=2)) as running:
        yield running


def client(cluster: MockCluster, **properties: str) -> Producer:
    return Producer(
        {"bootstrap.servers": cluster.bootstrap, "log_level": 0, "reconnect.backoff.max.ms": 100, **properties}
    )


def send(producer: Producer, partition: int = 0) -> KafkaError | None:
    answers: list[KafkaError | None] = []

    def on_delivery(error: KafkaError | None, message: Message) -> None:
        answers.append(error)

    def answered() -> bool:
        producer.poll(0.05)
        return bool(answers)

    producer.produce("orders", b"value", b"key", partition=partition, on_delivery=on_delivery)
    until(answered, 20, "a delivery report")
    return answers[0]


def test_topics_have_the_partitions_asked_for(cluster: MockCluster) -> None:
    assert cluster.create_topic("dlq.orders", 7)
    topics = client(cluster).list_topics(timeout=10).topics
    assert {name: len(topic.partitions) for name, topic in topics.items()} == {"orders": 3, "dlq.orders": 7}
    assert len(cluster.bootstrap.split(",")) == 2


def test_a_topic_that_exists_is_left_as_it_is(cluster: MockCluster) -> None:
    assert not cluster.create_topic("orders", 5)
    assert len(client(cluster).list_topics("orders", timeout=10).topics["orders"].partitions) == 3


def test_a_topic_without_partitions_is_refused(cluster: MockCluster) -> None:
    with pytest.raises(EmbeddedBrokerError, match="at least one partition, got 0"):
        cluster.create_topic("empty", 0)


def test_a_record_is_delivered_to_a_group(cluster: MockCluster) -> None:
    assert send(client(cluster)) is None
    consumer = Consumer(
        {
            "bootstrap.servers": cluster.bootstrap,
            "group.id": "g",
            "group.protocol": "consumer",
            "auto.offset.reset": "earliest",
            "log_level": 0,
        }
    )
    consumer.subscribe(["orders"])
    try:
        message = until(lambda: consumer.poll(0.1), 20, "a record")
        assert (message.key(), message.value(), message.error()) == (b"key", b"value", None)
    finally:
        consumer.close()


def test_a_broker_that_is_down_answers_nobody_until_it_is_up(cluster: MockCluster) -> None:
    producer = client(cluster, **{"message.timeout.ms": "300"})
    assert send(producer) is None
    cluster.set_down()
    error = send(producer)
    assert error is not None
    assert error.code() == KafkaError._MSG_TIMED_OUT
    cluster.set_up()
    until(lambda: send(producer) is None, 20, "the broker to answer again")


def test_a_pushed_error_is_the_next_answer_and_a_cleared_one_is_none(cluster: MockCluster) -> None:
    producer = client(cluster)
    cluster.push_errors(PRODUCE, [INVALID_RECORD])
    error = send(producer)
    assert error is not None
    assert error.code() == INVALID_RECORD
    cluster.push_errors(PRODUCE, [INVALID_RECORD])
    cluster.clear_errors(PRODUCE)
    assert send(producer) is None


def test_a_delay_holds_answers_back(cluster: MockCluster) -> None:
    producer = client(cluster)
    send(producer)
    cluster.set_delay(0.5)
    began = clock.monotonic()
    assert send(producer) is None
    assert clock.monotonic() - began >= 0.5


def test_another_leader_takes_over(cluster: MockCluster) -> None:
    producer = client(cluster)
    for leader in (1, 2):
        cluster.set_leader("orders", 0, leader)
        assert producer.list_topics("orders", timeout=10).topics["orders"].partitions[0].leader == leader


def test_a_closed_cluster_says_so(cluster: MockCluster) -> None:
    cluster.close()
    cluster.close()
    with pytest.raises(EmbeddedBrokerError, match="closed"):
        _ = cluster.bootstrap
