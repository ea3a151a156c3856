"""The only broker killed for 20 s: no worker is killed or restarted, all goes on by itself, and nothing is lost."""

from kherd.testing.herd import Herd
from kherd.testing.kafka import KafkaCluster
from kherd.testing.plugin import NewHerd, NewTopic
from kherd.testing.producing import Feeder
from kherd.testing.scenes import LEDGER, config, standings, wait_handled, wait_settled
from kherd.worker import clock

WORKERS, PARTITIONS, RATE = 2, 4, 100
OUTAGE = 20.0
"""Seconds: what is promised to be outlived; longer than any limit on joining or starting of the herds below."""
PROTOCOLS = ("classic", "consumer")


def test_an_outage_is_outlived(kafka_proxied: KafkaCluster, herd: NewHerd, topic: NewTopic) -> None:
    cluster = kafka_proxied
    names = [topic(PARTITIONS, on=cluster, name=protocol) for protocol in PROTOCOLS]
    # Both protocols live through the same outage.
    herds: list[Herd] = [
        herd(config(cluster, name, WORKERS, protocol=protocol), LEDGER)
        for name, protocol in zip(names, PROTOCOLS, strict=True)
    ]
    before = [_pids(wait_settled(one, WORKERS, PARTITIONS)) for one in herds]
    feeders = [Feeder(cluster.own_properties, name, RATE, partitions=PARTITIONS) for name in names]
    with feeders[0], feeders[1]:
        for one, feeder in zip(herds, feeders, strict=True):
            one.wait_status(lambda document: document["totals"]["handled"] > RATE, what="a steady stream")
            assert feeder.failed == 0
        cluster.kill(1)
        down = clock.monotonic()
        for one in herds:
            one.wait_event("brokers_unreachable", OUTAGE)
        clock.sleep(max(0.0, down + OUTAGE - clock.monotonic()))
        assert [_pids(one.status()) for one in herds] == before
        cluster.start(1)
        for one in herds:
            one.wait_event("brokers_reachable")
    for one, name, feeder in zip(herds, names, feeders, strict=True):
        wait_handled(one, name, feeder.acknowledged, 30)
    assert [_pids(one.status()) for one in herds] == before
    for one in herds:
        assert one.events("child_killed") == one.events("child_died") == []
        one.stop()


def _pids(document: dict[str, object]) -> dict[int, tuple[int, int]]:
    return {slot: (pid, incarnation) for slot, (pid, incarnation, *_) in standings(document).items()}
