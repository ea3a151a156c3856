"""What the harness' producers say was acknowledged is what is in the topic."""

from kherd.testing.plugin import NewTopic
from kherd.testing.producing import Feeder, fill
from kherd.testing.topics import Cluster
from kherd.testing.wait import until


def test_filling_a_topic_spreads_records_evenly(kafka: Cluster, topic: NewTopic) -> None:
    name = topic(4)
    fill(kafka.client_properties(), name, 10_002, partitions=4)
    assert kafka.ends(name) == {0: 2501, 1: 2501, 2: 2500, 3: 2500}


def test_a_feeder_knows_every_offset_it_filled(kafka: Cluster, topic: NewTopic) -> None:
    name = topic(2)
    with Feeder(kafka.client_properties(), name, 500, partitions=2) as feeder:
        until(lambda: feeder.count >= 100, 20, "100 acknowledged records")
    ends = kafka.ends(name)
    assert {partition: sorted(offsets) for partition, offsets in feeder.acknowledged.items()} == {
        partition: list(range(end)) for partition, end in ends.items()
    }
    assert feeder.failed == 0
    assert feeder.count == feeder.sent
