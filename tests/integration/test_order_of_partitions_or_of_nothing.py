"""`workers.order = "partition"` is one call at a time of each partition, in order; "none" is as many as may be."""

from kherd.testing.keyed import SOURCES, by_partition, calls, disorder, overlaps, width, workers
from kherd.testing.ledger import Handled, read
from kherd.testing.plugin import NewHerd, NewTopic
from kherd.testing.producing import fill
from kherd.testing.story import tables, wait_committed
from kherd.testing.topics import Cluster

PARTITIONS, RECORDS = 4, 400


def run(kafka: Cluster, herd: NewHerd, name: str, order: str) -> Handled:
    """Return what a worker with 16 calls at a time does with the records of one key."""
    fill(kafka.client_properties(), name, RECORDS, partitions=PARTITIONS, key=lambda _: b"one")
    one = herd(tables(kafka, name, workers=workers(1, 16, order)), SOURCES["threads"])
    wait_committed(kafka, one, name, dict.fromkeys(range(PARTITIONS), RECORDS // PARTITIONS))
    one.stop()
    handled = read(one.ledger)
    assert len(handled) == 2 * RECORDS
    assert calls(handled).duplicates() == {}
    return handled


def test_order_partition(kafka: Cluster, herd: NewHerd, topic: NewTopic) -> None:
    handled = run(kafka, herd, topic(PARTITIONS), "partition")
    assert disorder(handled, by_partition) == []
    assert overlaps(handled, by_partition) == []
    assert 1 < width(handled) <= PARTITIONS


def test_order_none(kafka: Cluster, herd: NewHerd, topic: NewTopic) -> None:
    handled = run(kafka, herd, topic(PARTITIONS), "none")
    assert overlaps(handled, by_partition) != []
    assert PARTITIONS < width(handled) <= 16
