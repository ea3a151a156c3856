"""The end that lag is measured to is the one the workers may read up to: an open transaction ends it, if they wait."""

from pathlib import Path

import pytest
from confluent_kafka import Producer

from kherd.supervisor.decide.lag import measure, parse
from kherd.testing.kafka import KafkaCluster

from ..fakes.group import kafka_spec, liaison, produce, unique


@pytest.mark.kafka
@pytest.mark.parametrize(("isolation", "expected"), [("read_committed", 10), ("read_uncommitted", 15)])
def test_open_transaction(kafka: KafkaCluster, tmp_path: Path, isolation: str, expected: int) -> None:
    topic, group = unique("orders"), unique("herd")
    kafka.create_topic(topic, 1)
    produce(kafka, topic, 0, 10)
    producer = Producer({**kafka.client_properties(), "transactional.id": unique("writer")})
    producer.init_transactions(30)
    producer.begin_transaction()
    for _ in range(5):
        producer.produce(topic, b"open")
    assert producer.flush(30) == 0
    spec = kafka_spec(kafka, group, topic, consumer={"isolation.level": isolation})
    with liaison(spec, tmp_path) as supervisor:
        sweep = parse(supervisor.until(lambda said: said["type"] == "lag" and said["valid"]))
        assert measure(sweep.positions, "earliest").total == expected
    producer.abort_transaction(30)
