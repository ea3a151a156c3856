"""A KIP-848 static member killed -9 and released: its successor has its partitions at once, bystanders keep theirs."""

from pathlib import Path
from typing import Any

import pytest

from ..fakes.group import create, liaison, members, share, unique, until

PARTITIONS = 8
BOUND = 3.0
"""Seconds, interpreter start included; without the notice the successor is refused for 45."""


@pytest.mark.kafka
@pytest.mark.parametrize("kind", ["release", "describe_release"])
def test_released_member(kafka: Any, tmp_path: Path, kind: str) -> None:
    topic, group = unique("orders"), unique("herd")
    create(kafka.bootstrap, topic, PARTITIONS)
    with (
        members(group, topic, kafka.bootstrap, group_protocol="consumer") as start,
        liaison(kafka.bootstrap, group, topic, tmp=tmp_path, group_protocol="consumer") as supervisor,
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
