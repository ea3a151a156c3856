"""kill -9 of a worker, classic static: its partitions go on within 0.5 s, and no other worker notices anything."""

from statistics import median

import pytest

from kherd.testing.kills import kill_many
from kherd.testing.plugin import NewHerd, NewTopic
from kherd.testing.results import count, report
from kherd.testing.scenes import LEDGER, config, wait_settled
from kherd.testing.topics import Cluster

pytestmark = pytest.mark.alone

WORKERS, PARTITIONS = 8, 16
RATE = 1600
LIMIT = 0.5
NOISE = 0.05
"""Seconds a fork and a start may cost the others in the middle, on two cores that are busy with the test itself."""


def test_a_killed_workers_partitions_go_on_at_once(kafka: Cluster, herd: NewHerd, topic: NewTopic) -> None:
    name = topic(PARTITIONS)
    one = herd(config(kafka, name, WORKERS, protocol="classic"), LEDGER)
    wait_settled(one, WORKERS, PARTITIONS)
    losses = kill_many(one, kafka, name, partitions=PARTITIONS, rate=RATE, number=count(30, 4))
    report("kill_static_classic", losses.numbers())
    assert losses.disturbed() == []
    assert losses.rebalances == 0
    assert max(toll.gap for toll in losses.tolls) < LIMIT
    # Single pauses are the machine's as often without a fault; a rebalance, ruled out above, would show in each.
    assert median(toll.others - toll.control for toll in losses.tolls) < NOISE
    assert max(toll.others for toll in losses.tolls) < LIMIT
    one.stop()
