"""A reload of a worker setting rolls slot by slot, never more members than slots; static: without a rebalance."""

import signal

import pytest

from kherd.testing.generations import generation
from kherd.testing.herd import Herd
from kherd.testing.ledger import read
from kherd.testing.plugin import NewHerd, NewTopic
from kherd.testing.producing import Feeder
from kherd.testing.scenes import LEDGER, config, group, shares, wait_handled, wait_settled
from kherd.testing.topics import Cluster
from kherd.testing.wait import until

WORKERS, PARTITIONS, RATE = 3, 6, 300


@pytest.mark.parametrize("protocol", ["classic", "consumer"])
def test_a_changed_worker_setting_is_rolled_out(kafka: Cluster, herd: NewHerd, topic: NewTopic, protocol: str) -> None:
    name = topic(PARTITIONS)
    tables = config(kafka, name, WORKERS, protocol=protocol)
    one = herd(tables, LEDGER)
    before = wait_settled(one, WORKERS, PARTITIONS)
    rounds = generation(kafka, group(one))
    with Feeder(kafka.client_properties(), name, RATE, partitions=PARTITIONS) as feeder:
        until(lambda: len(read(one.ledger)) > RATE, 20, "a steady stream")
        tables["app"]["name"] = one.settings["app"]["name"]
        tables["workers"]["handler_timeout"] = "15s"
        one.configure(tables)
        one.signal(signal.SIGHUP)
        one.wait_event("roll_done", generation=2)
        after = wait_settled(one, WORKERS, PARTITIONS)
    assert {slot["generation"] for slot in after["slots"]} == {2}
    assert shares(after) == shares(before)
    assert most_workers_at_once(one) == WORKERS
    assert generation(kafka, group(one)) == rounds, "the group has rebalanced"
    handled = wait_handled(one, name, feeder.acknowledged)
    assert handled.duplicates() == {}
    assert handled.disorder() == []
    one.stop()


def most_workers_at_once(one: Herd) -> int:
    """Return how many worker processes there were at most at a time, by the log."""
    most = now = 0
    for event in one.events():
        if str(event.get("child", "")).startswith("worker"):
            now += (event["event"] == "child_started") - (event["event"] in {"child_ended", "child_died"})
            most = max(most, now)
    return most
