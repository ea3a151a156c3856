"""kill -9 of a worker, classic static, commits 5 s apart: no more is delivered again than the record in flight."""

from kherd.testing.handovers import SELDOM, kill_and_count
from kherd.testing.plugin import NewHerd, NewTopic
from kherd.testing.results import count, report
from kherd.testing.scenes import LEDGER, config
from kherd.testing.topics import Cluster

WORKERS, PARTITIONS, RATE = 2, 4, 400


def test_a_kill_costs_the_record_in_flight(kafka: Cluster, topic: NewTopic, herd: NewHerd) -> None:
    name, number = topic(PARTITIONS), count(100, 4)
    one = herd(config(kafka, name, WORKERS, protocol="classic", delivery=SELDOM), LEDGER)
    found = kill_and_count(one, kafka, name, workers=WORKERS, partitions=PARTITIONS, rate=RATE, number=number)
    report("handover_static_classic", found)
    assert found["delivered_again"] <= number
    assert found["handed_over"] > 0
    one.stop()
