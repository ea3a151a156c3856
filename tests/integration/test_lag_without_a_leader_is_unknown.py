"""While a partition has no leader the lag is unknown: no sweep in between counts less, and it comes back by itself."""

from pathlib import Path
from typing import Any

import pytest

from kherd.supervisor.decide.lag import Sweep, extend, measure, parse
from kherd.testing.kafka import KafkaCluster

from ..fakes.group import kafka_spec, liaison, produce, unique

EACH = 10
PARTITIONS = 3


@pytest.mark.kafka
def test_a_broker_stops(kafka3: KafkaCluster, tmp_path: Path) -> None:
    # Given a topic of three partitions, each with its only copy on a broker of its own
    topic, group = kafka3.create_topic(unique("orders"), PARTITIONS, rf=1), unique("herd")
    for partition in range(PARTITIONS):
        produce(kafka3, topic, partition, EACH)
    totals: list[int | None] = []
    pending: list[Sweep | None] = [None]

    def lag(said: dict[str, Any]) -> Sweep | None:
        if said["type"] != "lag":
            return None
        pending[0] = sweep = extend(pending[0], parse(said))
        if sweep.valid:
            totals.append(measure(sweep.positions, "earliest").total)
        return sweep

    with liaison(kafka_spec(kafka3, group, topic), tmp_path) as supervisor:
        supervisor.until(lambda said: (sweep := lag(said)) is not None and sweep.valid)

        # When a broker stops, then the lag is unknown, with a reason
        kafka3.stop(2)
        supervisor.until(lambda said: (sweep := lag(said)) is not None and bool(sweep.reason), 60)

        # When it is back, then the lag is known again
        kafka3.start(2)
        supervisor.until(lambda said: (sweep := lag(said)) is not None and sweep.valid, 60)
    assert set(totals) == {PARTITIONS * EACH}
