"""Workers that have done max_records are replaced one at a time, without a rebalance, and every record is done once."""

from kherd.testing.generations import generation
from kherd.testing.herd import Herd
from kherd.testing.plugin import NewHerd, NewTopic
from kherd.testing.producing import Feeder
from kherd.testing.scenes import LEDGER, config, group, wait_handled, wait_settled
from kherd.testing.topics import Cluster

WORKERS, PARTITIONS, RATE = 3, 6, 600


def test_every_worker_is_replaced(kafka: Cluster, herd: NewHerd, topic: NewTopic) -> None:
    # Given three workers that reach their limit at about the same time
    name = topic(PARTITIONS)
    one = herd(config(kafka, name, WORKERS, limits={"max_records": 300}), LEDGER)
    before = wait_settled(one, WORKERS, PARTITIONS)
    rounds = generation(kafka, group(one))

    # When records come, then each of them is replaced
    with Feeder(kafka.client_properties(), name, RATE, partitions=PARTITIONS) as feeder:
        one.wait_event("child_recycled", count=WORKERS)
        after = wait_settled(one, WORKERS, PARTITIONS)
    old, new = ({slot["pid"] for slot in status["slots"]} for status in (before, after))
    assert not old & new

    # and one was ready again before the next one went, the group noticed nothing, and nothing was done twice
    assert _most_away(one) == 1
    assert generation(kafka, group(one)) == rounds, "the group has rebalanced"
    assert after["deaths"] == {}
    handled = wait_handled(one, name, feeder.acknowledged)
    assert handled.duplicates() == {}
    assert handled.disorder() == []
    one.stop()


def _most_away(one: Herd) -> int:
    """Return how many workers were on their way down or up at most at a time, by the log, until the stop."""
    most = 0
    away: set[object] = set()
    for event in one.events():
        if event["event"] == "child_recycled":
            away.add(event["child"])
        elif event["event"] == "child_ready":
            away.discard(event["child"])
        most = max(most, len(away))
    return most
