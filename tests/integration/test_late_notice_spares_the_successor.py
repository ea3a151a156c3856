"""A notice that names the dead member, delivered after its successor has joined, is answered well and evicts nobody."""

from pathlib import Path
from typing import Any

import pytest

from ..fakes.group import create, liaison, members, unique, until

PARTITIONS = 4


@pytest.mark.kafka
@pytest.mark.parametrize("protocol", ["classic", "consumer"])
def test_late_notice(kafka: Any, tmp_path: Path, protocol: str) -> None:
    topic, group = unique("orders"), unique("herd")
    admin = create(kafka.bootstrap, topic, PARTITIONS)
    kinds = ["leave", "release"] if protocol == "consumer" else ["leave"]
    with (
        members(group, topic, kafka.bootstrap, group_protocol=protocol, group_instance_id="slot-0") as start,
        liaison(kafka.bootstrap, group, topic, tmp=tmp_path, group_protocol=protocol) as supervisor,
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
        held = admin.describe_consumer_groups([group])[group].result(10).members
        assert [member.member_id for member in held] == [successor.member_id]
        successor.look()
        assert len(successor.events) == said
