"""A KIP-848 static member killed -9 and released: its successor has its partitions at once, bystanders keep theirs."""

from pathlib import Path

import pytest

from kherd.testing.kafka import KafkaCluster

from ..fakes.group import kafka_spec, liaison, members, share, unique, until

PARTITIONS = 8
BOUND = 3.0
"""Seconds, interpreter start included; without the notice the successor is refused for 45."""


@pytest.mark.kafka
@pytest.mark.parametrize("kind", ["release", "describe_release"])
def test_released_member(kafka: KafkaCluster, tmp_path: Path, kind: str) -> None:
    topic, group = unique("orders"), unique("herd")
    kafka.create_topic(topic, PARTITIONS)
    with (
        members(kafka, group, topic, group_protocol="consumer") as start,
        liaison(kafka_spec(kafka, group, topic, group_protocol="consumer"), tmp_path) as supervisor,
    ):
        bystanders = [start(group_instance_id=f"slot-{slot}") for slot in range(3)]
        victim = start(group_instance_id="slot-3")
        until(share(PARTITIONS, *bystanders, victim), *bystanders, victim)
        before = [len(member.events) for member in bystanders]
        victim.kill()
        answer = supervisor.tell(kind, instance_id="slot-3", member_id=victim.member_id if kind == "release" else None)
        assert answer["ok"], answer
        successor = start(group_instance_id="slot-3")
        took = until(lambda: successor.partitions == victim.partitions, successor, *bystanders)
        assert took < BOUND
        assert [len(member.events) for member in bystanders] == before
