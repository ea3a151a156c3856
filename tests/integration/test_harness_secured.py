"""The harness' secured Kafka lets each user do what the rules say, and nothing else."""

from collections.abc import Callable

import pytest
from confluent_kafka import Consumer, KafkaError, KafkaException, Producer

from kherd.testing.kafka import KafkaCluster
from kherd.testing.plugin import NewTopic
from kherd.testing.security import HERD, OUTSIDER

QUIET = {"log_level": "0"}


def produce(cluster: KafkaCluster, user: str | None, topic: str) -> KafkaError | None:
    """Return what the broker says to one record of `user`'s."""
    answers: list[KafkaError | None] = []
    producer = Producer({**cluster.client_properties(user), **QUIET})
    producer.produce(topic, b"x", on_delivery=lambda error, _: answers.append(error))
    assert producer.flush(20) == 0
    return answers[0]


def consumed(cluster: KafkaCluster, user: str, group: str, topic: str) -> bytes | int | None:
    """Return the first record's value, or the code of the first error."""
    consumer = Consumer(
        {**cluster.client_properties(user), **QUIET, "group.id": group, "auto.offset.reset": "earliest"}
    )
    consumer.subscribe([topic])
    try:
        message = consumer.poll(20)
        assert message is not None
        error = message.error()
        return error.code() if error else message.value()
    finally:
        consumer.close()


def test_a_herd_consumes_what_it_was_allowed(
    kafka_secured: KafkaCluster, topic: NewTopic, unique: Callable[[str], str]
) -> None:
    group, source = unique("group"), topic(1, on=kafka_secured)
    kafka_secured.allow_herd([source], group)
    assert produce(kafka_secured, None, source) is None
    assert consumed(kafka_secured, HERD, group, source) == b"x"


def test_a_herd_is_denied_another_group_another_topic_and_producing_to_its_source(
    kafka_secured: KafkaCluster, topic: NewTopic, unique: Callable[[str], str]
) -> None:
    group, source, foreign = unique("group"), topic(1, on=kafka_secured), topic(1, on=kafka_secured)
    kafka_secured.allow_herd([source], group)
    assert consumed(kafka_secured, HERD, unique("other"), source) == KafkaError.GROUP_AUTHORIZATION_FAILED
    assert consumed(kafka_secured, HERD, group, foreign) == KafkaError.TOPIC_AUTHORIZATION_FAILED
    denied = produce(kafka_secured, HERD, source)
    assert denied is not None
    assert denied.code() == KafkaError.TOPIC_AUTHORIZATION_FAILED


def test_an_outsider_is_denied_everything_and_a_wrong_password_is_not_let_in(
    kafka_secured: KafkaCluster, topic: NewTopic
) -> None:
    source = topic(1, on=kafka_secured)
    denied = produce(kafka_secured, OUTSIDER, source)
    assert denied is not None
    assert denied.code() == KafkaError.TOPIC_AUTHORIZATION_FAILED
    wrong = {**kafka_secured.client_properties(HERD), **QUIET, "sasl.password": "guess"}
    with pytest.raises(KafkaException):
        Producer(wrong).list_topics(timeout=3)
