"""Batch mode: a bug that every list meets puts nothing aside; one that single records meet puts aside those."""

from kherd.testing import ledger
from kherd.testing.plugin import NewHerd, NewTopic
from kherd.testing.reading import read
from kherd.testing.scenes import wait_settled
from kherd.testing.story import PRELUDE, put, switch, tables, wait_committed
from kherd.testing.topics import Cluster

WORKERS, PARTITIONS, EACH = 2, 8, 40
ERRORS = {"backoff_initial": 0.05, "backoff_max": 0.3, "max_attempts": 3}
HANDLER = f"""{PRELUDE}
def handle(messages):
    if not SWITCH.on:
        raise RuntimeError("it cannot be right")
    if any(message.value() == b"bad" for message in messages):
        raise KeyError("bad")
    for message in messages:
        LEDGER.write(message)
"""


def test_lists(kafka: Cluster, topic: NewTopic, herd: NewHerd) -> None:
    # Given lists that all fail, and one bad record in each of two partitions
    name = topic(PARTITIONS)
    for number in range(PARTITIONS):
        values = [b"bad" if number < 2 and value == 20 else b"%d" % value for value in range(EACH)]
        put(kafka, name, *values, partition=number)
    workers = {"count": WORKERS, "mode": "batch", "batch_size": 10}

    # When their attempts are exhausted, then they wait
    one = herd(tables(kafka, name, workers=workers, errors=ERRORS), HANDLER)
    wait_settled(one, WORKERS, PARTITIONS)
    one.wait_event("outage_assumed")
    tried = one.status()["totals"]["calls"]
    status = one.wait_status(lambda status: status["totals"]["calls"] >= tried + 5)
    assert (status["totals"]["dead_lettered"], status["totals"]["handled"]) == (0, 0)

    # When the bug is gone, then all are handled but the two, which are put aside
    switch(one).turn_on()
    wait_committed(kafka, one, name, dict.fromkeys(range(PARTITIONS), EACH))
    one.stop()
    assert [letter.value() for letter in read(kafka, f"dlq.{name}")] == [b"bad", b"bad"]
    found = ledger.read(one.ledger)
    assert len(found) == PARTITIONS * EACH - 2
    assert found.duplicates() == {}
