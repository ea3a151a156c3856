"""A second herd joins in the middle of calls beside each other: no key is reordered, nothing lost or done twice."""

import pytest

from kherd.testing.handovers import wait_identified
from kherd.testing.herd import Herd
from kherd.testing.keyed import SOURCES, by_key, calls, disorder, ends, key, overlaps, workers
from kherd.testing.ledger import Handled, read
from kherd.testing.plugin import NewHerd, NewTopic
from kherd.testing.producing import Feeder
from kherd.testing.results import count
from kherd.testing.scenes import shares, wait_settled
from kherd.testing.story import tables
from kherd.testing.topics import Cluster
from kherd.testing.wait import until

PARTITIONS, RATE = 4, 500


@pytest.mark.parametrize("kind", ["threads", "coroutines"])
def test_two_herds(kafka: Cluster, herd: NewHerd, topic: NewTopic, kind: str) -> None:
    # Given a herd with calls beside each other that is behind a stream
    name, share = topic(PARTITIONS), count(5_000, 250)

    def start(instance: str) -> Herd:
        app = {"name": f"h-{name[-8:]}", "instance": instance}
        membership = {"static_membership": False}
        table = workers(1, 16)
        return herd(tables(kafka, name, app=app, workers=table, kafka=membership), SOURCES[kind])

    one = start("one")
    wait_settled(one, 1, PARTITIONS)
    wait_identified(one, PARTITIONS)
    with Feeder(kafka.client_properties(), name, RATE, partitions=PARTITIONS, key=key) as feeder:
        until(lambda: len(read(one.ledger)) > share, 30, "work to be under way")

        # When another one joins, then it gets its share
        two = start("two")
        two.wait_status(lambda status: len(shares(status).get(0, ())) == PARTITIONS // 2)
        until(lambda: len(read(two.ledger)) > share, 30, "work of the other")

    # Then all is handled once, each key in order and one record of it at a time, whoever had it
    until(lambda: not ends(both(one, two)).missing(name, feeder.acknowledged), 60, "all handled")
    one.stop()
    two.stop()
    handled = both(one, two)
    assert disorder(handled, by_key) == []
    assert overlaps(handled, by_key) == []
    assert calls(handled).duplicates() == {}


def both(one: Herd, two: Herd) -> Handled:
    """Return what both did, in the order of time."""
    entries = [*read(one.ledger).entries, *read(two.ledger).entries]
    return Handled(sorted(entries, key=lambda entry: entry.at))
