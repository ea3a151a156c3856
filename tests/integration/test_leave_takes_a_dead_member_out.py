"""A member killed with -9 for good and made to leave: the others have its partitions long before its session ends."""

from pathlib import Path

import pytest

from kherd.testing.kafka import KafkaCluster

from ..fakes.group import kafka_spec, liaison, members, share, unique, until

PARTITIONS = 4
BOUND = 12.0
"""Seconds: two heartbeat intervals (3 s classic, 5 s KIP-848) and some; the session timeout is 45."""


@pytest.mark.kafka
@pytest.mark.parametrize("protocol", ["classic", "consumer"])
@pytest.mark.parametrize("identity", ["dynamic", "static", "static of unknown member id"])
def test_dead_member(kafka: KafkaCluster, tmp_path: Path, protocol: str, identity: str) -> None:
    topic, group = unique("orders"), unique("herd")
    kafka.create_topic(topic, PARTITIONS)
    properties = {"group_protocol": protocol}
    if protocol == "classic":
        properties["partition_assignment_strategy"] = "cooperative-sticky"
    static = identity != "dynamic"
    with (
        members(kafka, group, topic, **properties) as start,
        liaison(kafka_spec(kafka, group, topic, group_protocol=protocol), tmp_path) as supervisor,
    ):
        survivor = start(**({"group_instance_id": "slot-0"} if static else {}))
        victim = start(**({"group_instance_id": "slot-1"} if static else {}))
        until(share(PARTITIONS, survivor, victim), survivor, victim)
        assert victim.member_id is not None
        victim.kill()
        answer = supervisor.tell(
            "leave",
            member_id=None if identity == "static of unknown member id" else victim.member_id,
            instance_id="slot-1" if static else None,
        )
        assert answer["ok"], answer
        until(lambda: len(survivor.partitions) == PARTITIONS, survivor, seconds=BOUND)
