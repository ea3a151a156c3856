"""Brokers gone while the lag is high: an unknown lag changes nothing, however long, and after it all is as it was."""

from typing import Any

from kherd.testing.kafka import KafkaCluster
from kherd.testing.plugin import NewHerd, NewTopic
from kherd.testing.producing import fill
from kherd.testing.scenes import LEDGER, config, wait_handled, wait_settled
from kherd.worker import clock

FEW, MANY, PARTITIONS, RECORDS = 2, 4, 8, 5000
CALM = 1.0
HANDLER = LEDGER.replace("    LEDGER.write", "    time.sleep(0.004)\n    LEDGER.write") + "\nimport time\n"


def test_an_unknown_lag_holds(kafka_proxied: KafkaCluster, herd: NewHerd, topic: NewTopic) -> None:
    # Given a herd that has grown for a high lag
    cluster = kafka_proxied
    name = topic(PARTITIONS, on=cluster)
    fill(cluster.own_properties, name, RECORDS, partitions=PARTITIONS)
    settings: dict[str, Any] = {
        "autoscale": {"max": MANY, "lag_above": 1000, "calm": CALM},
        "lag": {"interval": 0.3},
        "log": {"level": "debug"},
    }
    one = herd(config(cluster, name, FEW, **settings), HANDLER)
    one.wait_event("autoscaled", before=FEW, after=MANY)
    one.wait_ready(MANY)

    # When no broker answers, for longer than calm
    cluster.proxies[1].cut()
    one.wait_event("autoscale_holds", reason="the lag is unknown", after=MANY)
    clock.sleep(3 * CALM)

    # Then nobody has come or gone
    during = one.status()
    assert (during["workers"]["wanted"], during["workers"]["ready"]) == (MANY, MANY)
    assert during["lag"]["total"] is None
    assert len(one.events("autoscaled")) == 1

    # And when they are back all is handled, and only then is it calm
    cluster.proxies[1].heal()
    ends = cluster.ends(name)
    wait_handled(one, name, {partition: range(end) for partition, end in ends.items()}, 60)
    one.wait_event("autoscaled", before=MANY, after=FEW)
    wait_settled(one, FEW, PARTITIONS)
    assert len(one.events("autoscaled")) == 2
    assert one.events("child_died") == []
    one.stop()
