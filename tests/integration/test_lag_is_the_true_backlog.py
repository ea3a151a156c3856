"""Lag on a real topic is what was produced and neither committed nor deleted, partition by partition."""

from pathlib import Path

import pytest
from confluent_kafka import ConsumerGroupTopicPartitions, TopicPartition

from kherd.supervisor.children.liaison.once import Onlooker
from kherd.supervisor.decide.lag import measure, parse
from kherd.testing.kafka import KafkaCluster

from ..fakes.group import kafka_spec, liaison, produce, unique


@pytest.mark.kafka
def test_known_backlog(kafka: KafkaCluster, tmp_path: Path) -> None:
    topic, group = unique("orders"), unique("herd")
    admin = kafka.admin()
    kafka.create_topic(topic, 4)
    for partition, count in enumerate([100, 200, 300, 0]):
        produce(kafka, topic, partition, count)
    committed = [TopicPartition(topic, 0, 40), TopicPartition(topic, 1, 10)]
    admin.alter_consumer_group_offsets([ConsumerGroupTopicPartitions(group, committed)])[group].result(10)
    deleted = [TopicPartition(topic, 1, 50), TopicPartition(topic, 2, 120)]
    for future in admin.delete_records(deleted).values():
        future.result(10)
    expected = {0: 60, 1: 150, 2: 180, 3: 0}

    with liaison(kafka_spec(kafka, group, topic), tmp_path) as supervisor:
        sweep = parse(supervisor.until(lambda said: said["type"] == "lag" and said["valid"]))
        lag = measure(sweep.positions, "earliest")
        assert {position.partition: one for position, one in lag.partitions} == expected
        assert lag.total == sum(expected.values())
        assert measure(sweep.positions, "latest").total == 60 + 150

    reading = Onlooker(kafka_spec(kafka, group, topic)).read()
    assert reading.lag.total == sum(expected.values())
    assert reading.reason is None
    unnamed = Onlooker(kafka_spec(kafka, group)).read()
    assert unnamed.lag.total == lag.total
