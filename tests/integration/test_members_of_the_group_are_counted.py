"""The liaison knows every member of the group, strangers too, under both protocols; no death notice waits for that."""

from pathlib import Path
from typing import Any

import pytest

from kherd.testing.kafka import KafkaCluster
from kherd.testing.plugin import NewTopic
from kherd.worker.spec import GroupProtocol

from ..fakes.group import Liaison, Member, kafka_spec, liaison, members, share, unique, until

QUICK: dict[str, Any] = {"session_timeout_ms": 10_000, "heartbeat_interval_ms": 200}


def counted(supervisor: Liaison, *wanted: Member) -> None:
    """Wait for a census that has found exactly `wanted`."""
    ids = sorted(member.member_id or "" for member in wanted)
    supervisor.until(lambda said: said["type"] == "members" and said["ids"] == ids)


@pytest.mark.kafka
@pytest.mark.parametrize(
    ("protocol", "configured"), [("classic", "classic"), ("consumer", "consumer"), ("consumer", "classic")]
)
def test_members(
    kafka: KafkaCluster, topic: NewTopic, tmp_path: Path, protocol: str, configured: GroupProtocol
) -> None:
    # Given a group of two strangers, whatever protocol this herd is configured for
    name, group = topic(4), unique("herd")
    own = QUICK if protocol == "classic" else {}
    if protocol == "consumer":
        kafka.time_group(group, heartbeat=0.2)
    spec = kafka_spec(kafka, group, name, group_protocol=configured)
    with (
        members(kafka, group, name, group_protocol=protocol, **own) as start,
        liaison(spec, tmp_path, lag_interval=0.01, count_members=True) as supervisor,
    ):
        # Then a group without members has none, and each that joins is counted
        counted(supervisor)
        first = start()
        until(share(4, first), first)
        counted(supervisor, first)
        second = start()
        until(share(4, first, second), first, second)
        counted(supervisor, first, second)

        # When one dies, then its notice passes the stream of censuses, and it is counted no more
        second.kill()
        assert supervisor.tell("leave", member_id=second.member_id)["ok"]
        counted(supervisor, first)


@pytest.mark.kafka
def test_without_brokers_the_members_are_unknown_and_known_again_with_them(
    kafka_proxied: KafkaCluster, tmp_path: Path
) -> None:
    name, group = kafka_proxied.create_topic(unique("topic"), 1), unique("herd")
    with (
        members(kafka_proxied, group, name, **QUICK) as start,
        liaison(kafka_spec(kafka_proxied, group, name), tmp_path, lag_interval=0.1, count_members=True) as supervisor,
    ):
        one = start()
        until(share(1, one), one)
        counted(supervisor, one)
        kafka_proxied.proxies[1].cut()
        supervisor.until(lambda said: said["type"] == "members" and said["ids"] is None)
        kafka_proxied.heal()
        supervisor.until(lambda said: said["type"] == "members" and bool(said["ids"]))
