"""kill -9 of a worker, classic dynamic: its partitions go on within 2 x heartbeat.interval + 1 s."""

import pytest

from kherd.testing.kills import kill_many
from kherd.testing.plugin import NewHerd, NewTopic
from kherd.testing.results import count, report
from kherd.testing.scenes import LEDGER, config, wait_settled
from kherd.testing.topics import Cluster

pytestmark = pytest.mark.alone

WORKERS, PARTITIONS = 4, 8
RATE = 400
HEARTBEAT = 3.0
"""Seconds: heartbeat.interval.ms, its default."""


def test_a_killed_workers_partitions_go_on_after_a_death_notice(kafka: Cluster, herd: NewHerd, topic: NewTopic) -> None:
    name = topic(PARTITIONS)
    one = herd(config(kafka, name, WORKERS, protocol="classic", static=False), LEDGER)
    wait_settled(one, WORKERS, PARTITIONS)
    number = count(10, 2)
    losses = kill_many(one, kafka, name, partitions=PARTITIONS, rate=RATE, number=number)
    report("kill_dynamic_classic", losses.numbers())
    assert max(toll.gap for toll in losses.tolls) < 2 * HEARTBEAT + 1
    assert len(one.events("notice_sent")) == number
    assert one.events("notice_failed") == []
    one.stop()
