"""Brokers that are away while workers join: nobody is killed for it, and the same processes join when they are back."""

from kherd.testing.kafka import KafkaCluster
from kherd.testing.plugin import NewHerd, NewTopic
from kherd.testing.proxy import Cut
from kherd.testing.results import count
from kherd.testing.scenes import LEDGER, config, wait_settled
from kherd.worker import clock

WORKERS, PARTITIONS = 2, 4
AWAY = float(count(60, 5))


def test_brokers_come_late(kafka_proxied: KafkaCluster, herd: NewHerd, topic: NewTopic) -> None:
    # Given brokers that take connections and never answer
    cluster = kafka_proxied
    name = topic(PARTITIONS, on=cluster)
    cluster.proxies[1].cut(Cut.BLACKHOLE)
    one = herd(config(cluster, name, WORKERS), LEDGER)

    # When workers have been joining for a while
    joining = one.wait_status(lambda status: status["workers"]["by_state"] == {"joining": WORKERS})
    clock.sleep(AWAY)
    assert {slot["pid"] for slot in one.status()["slots"]} == {slot["pid"] for slot in joining["slots"]}

    # Then they join as soon as brokers answer
    cluster.proxies[1].heal()
    after = wait_settled(one, WORKERS, PARTITIONS)
    assert {slot["pid"] for slot in after["slots"]} == {slot["pid"] for slot in joining["slots"]}
    assert one.events("child_hangs") == one.events("child_died") == []
    one.stop()
