"""A notice that names the dead member, delivered after its successor has joined, is answered well and evicts nobody."""

from pathlib import Path

import pytest

from kherd.testing.kafka import KafkaCluster

from ..fakes.group import kafka_spec, liaison, members, unique, until

PARTITIONS = 4


@pytest.mark.kafka
@pytest.mark.parametrize("protocol", ["classic", "consumer"])
def test_late_notice(kafka: KafkaCluster, tmp_path: Path, protocol: str) -> None:
    topic, group = unique("orders"), unique("herd")
    kafka.create_topic(topic, PARTITIONS)
    kinds = ["leave", "release"] if protocol == "consumer" else ["leave"]
    with (
        members(kafka, group, topic, group_protocol=protocol, group_instance_id="slot-0") as start,
        liaison(kafka_spec(kafka, group, topic, group_protocol=protocol), tmp_path) as supervisor,
    ):
        victim = start()
        until(lambda: len(victim.partitions) == PARTITIONS, victim)
        victim.kill()
        if protocol == "consumer":
            assert supervisor.tell("release", member_id=victim.member_id, instance_id="slot-0")["ok"]
        successor = start()
        until(lambda: len(successor.partitions) == PARTITIONS, successor)
        said = len(successor.events)
        for kind in kinds:
            answer = supervisor.tell(kind, member_id=victim.member_id, instance_id="slot-0")
            assert answer["ok"], answer
        admin = kafka.admin()  # its answers end with it
        held = admin.describe_consumer_groups([group])[group].result(10).members
        assert [member.member_id for member in held] == [successor.member_id]
        successor.look()
        assert len(successor.events) == said
