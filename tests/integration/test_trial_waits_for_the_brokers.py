"""While no broker answers a canary is not judged, whatever happens to it, and nobody is stopped; then it goes on."""

import os
import signal

from kherd.testing.kafka import KafkaCluster
from kherd.testing.plugin import NewHerd, NewTopic
from kherd.testing.producing import Feeder
from kherd.testing.scenes import wait_handled, wait_settled
from kherd.testing.trial import roll, since, tables, version, wait_roll, wait_versions
from kherd.worker import clock

WORKERS, PARTITIONS, RATE = 2, 4, 100
SETTLE = 7.0
"""Seconds; an outage is known within 5."""
STANDSTILL = 1.2


def test_it_does(kafka_proxied: KafkaCluster, topic: NewTopic, herd: NewHerd) -> None:
    # Given a trial under way
    cluster = kafka_proxied
    name = topic(PARTITIONS, on=cluster)
    one = herd(tables(cluster, name, WORKERS, reload={"settle": SETTLE}), version("old"))
    wait_settled(one, WORKERS, PARTITIONS)
    with Feeder(cluster.own_properties, name, RATE, partitions=PARTITIONS) as feeder:
        wait_versions(one, 0, PARTITIONS, "old")
        one.write_handler(version("new"))
        one.ask("restart")
        wait_roll(one, "settling")

        # When brokers do not answer any more, then its clock stands still
        cluster.pause(1)
        one.wait_event("brokers_unreachable")
        left = roll(one.status())["left"]
        assert 0 < left < SETTLE
        clock.sleep(STANDSTILL)
        assert (roll(one.status())["state"], roll(one.status())["left"]) == ("settling", left)

        # and an end of its process is no fault of the new code
        os.kill(one.worker_pids()[0], signal.SIGKILL)
        wait_roll(one, "canary")
        assert one.wait_status(lambda status: status["slots"][0]["pid"] is not None)["slots"][0]["generation"] == 2

        # When they answer again, then it has to be ready once more, and everybody follows
        one.configure(tables(cluster, name, WORKERS))
        assert one.ask("reload")["rolling"]
        cluster.heal()
        one.wait_event("canary_accepted", 60)
        one.wait_event("roll_done")
        status = wait_settled(one, WORKERS, PARTITIONS)
        assert {slot["generation"] for slot in status["slots"]} == {2}
        assert status["rollbacks"] == 0
        wait_versions(one, len(since(one, 0)), PARTITIONS, "new")
    assert wait_handled(one, name, feeder.acknowledged).disorder() == []
    one.stop()
