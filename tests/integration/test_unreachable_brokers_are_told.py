"""A cluster that does not answer is told within 5 s, lag is unknown and not zero, a notice ends; and all comes back."""

from pathlib import Path

import pytest

from kherd.testing.kafka import KafkaCluster
from kherd.worker import clock

from ..fakes.group import kafka_spec, liaison, unique

pytestmark = pytest.mark.alone


@pytest.mark.kafka
@pytest.mark.parametrize("outage", ["hangs", "is down"])
def test_outage(kafka: KafkaCluster, tmp_path: Path, outage: str) -> None:
    topic, group = unique("orders"), unique("herd")
    kafka.create_topic(topic, 2)
    with liaison(kafka_spec(kafka, group, topic), tmp_path) as supervisor:
        supervisor.until(lambda said: said["type"] == "lag" and said["valid"])
        began = clock.monotonic()
        if outage == "hangs":
            kafka.pause(1)
        else:
            kafka.kill(1)
        answer = supervisor.tell("leave", member_id="nobody")
        assert not answer["ok"]
        assert answer["ms"] < 3000
        supervisor.until(lambda said: said["type"] == "brokers" and not said["reachable"])
        assert clock.monotonic() - began < 5.5
        unknown = supervisor.until(lambda said: said["type"] == "lag" and not said["valid"])
        assert unknown["reason"]
        kafka.heal()
        supervisor.until(lambda said: said["type"] == "brokers" and said["reachable"])
        supervisor.until(lambda said: said["type"] == "lag" and said["valid"])
        assert supervisor.tell("leave", member_id="nobody")["ok"]
