"""Over SASL_SSL with SCRAM, allowed no more than a herd needs: lag is read, dead letters counted, notices delivered."""

from pathlib import Path

import pytest

from kherd.testing.kafka import KafkaCluster
from kherd.testing.security import HERD
from kherd.worker.spec import DeadLetterSpec

from ..fakes.group import kafka_spec, liaison, members, produce, unique, until

PARTITIONS = 4


@pytest.mark.kafka
def test_secured_liaison(kafka_secured: KafkaCluster, tmp_path: Path) -> None:
    kafka = kafka_secured
    topic, group = unique("orders"), unique("herd")
    dead = f"dlq.{topic}"
    kafka.create_topic(topic, PARTITIONS)
    kafka.allow_herd([topic], group, [dead])
    produce(kafka, topic, 0, 10)
    spec = kafka_spec(kafka, group, topic, user=HERD, group_protocol="consumer")
    with (
        members(kafka, group, topic, HERD, group_protocol="consumer", group_instance_id="slot-0") as start,
        liaison(spec, tmp_path, DeadLetterSpec()) as supervisor,
    ):
        ready = supervisor.until(lambda said: said["type"] == "ready")
        assert ready["dead_letter_topics"] == [dead]
        supervisor.until(lambda said: said["type"] == "lag" and said["valid"])
        supervisor.until(lambda said: said["type"] == "dead_letters" and said["count"] == 0)
        victim = start()
        until(lambda: len(victim.partitions) == PARTITIONS, victim)
        victim.kill()
        answer = supervisor.tell("release", member_id=victim.member_id, instance_id="slot-0")
        assert answer["ok"], answer
        successor = start()
        until(lambda: len(successor.partitions) == PARTITIONS, successor, seconds=5.0)
        successor.kill()
        assert supervisor.tell("describe_release", instance_id="slot-0")["ok"]
        assert supervisor.tell("leave", instance_id="slot-0")["ok"]
