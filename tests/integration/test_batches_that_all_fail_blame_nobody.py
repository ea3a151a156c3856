"""A handler that fails with everything has nothing dead-lettered: its batches wait, whole, until it is mended."""

from kherd.testing import ledger
from kherd.testing.plugin import NewHerd, NewTopic
from kherd.testing.reading import read
from kherd.testing.story import PRELUDE, put, switch, tables, wait_committed
from kherd.testing.topics import Cluster

COUNT = 100
HANDLER = f"""{PRELUDE}
def handle(messages):
    if not SWITCH.on:
        raise KeyError("a mistake")
    LEDGER.write(*messages)
"""


def test_a_mistake_in_the_handler(kafka: Cluster, topic: NewTopic, herd: NewHerd) -> None:
    # Given batches of two partitions each, and a handler that raises whatever it is given
    name = topic(2)
    for partition in (0, 1):
        put(kafka, name, *(b"%d" % n for n in range(COUNT)), partition=partition)
    workers = {"count": 1, "mode": "batch", "batch_wait": 0.5}
    errors = {"backoff_initial": 0.05, "backoff_max": 0.1, "max_attempts": 3, "on_exhausted": "dead_letter"}
    one = herd(tables(kafka, name, workers=workers, errors=errors), HANDLER)

    # When it has been tried often enough for any record to be exhausted, then none is put aside
    stopped = one.wait_event("bisection_stopped", attempt=6)
    assert stopped["level"] == "error"
    assert stopped["count"] == 2 * COUNT
    status = one.status()
    assert status["totals"]["dead_lettered"] == status["totals"]["handled"] == 0

    # When the handler works, then everything is done, once and in order
    switch(one).turn_on()
    wait_committed(kafka, one, name, {0: COUNT, 1: COUNT})
    one.stop()
    record = ledger.read(one.ledger)
    assert sorted((entry.partition, entry.offset) for entry in record.entries) == [
        (partition, offset) for partition in (0, 1) for offset in range(COUNT)
    ]
    assert record.disorder() == []
    assert read(kafka, f"dlq.{name}") == []
