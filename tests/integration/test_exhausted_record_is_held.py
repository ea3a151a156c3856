"""on_exhausted = "hold" keeps the partition of a record whose attempts are exhausted waiting, without loss."""

from itertools import pairwise

from kherd.testing import ledger
from kherd.testing.plugin import NewHerd, NewTopic
from kherd.testing.story import PRELUDE, committed, handled, put, switch, tables, wait_committed
from kherd.testing.topics import Cluster

HANDLER = f"""{PRELUDE}
def handle(message):
    LEDGER.write(message)
    if message.value() == b"bad" and not SWITCH.on:
        raise ConnectionError("the database is away")
"""


def test_held(kafka: Cluster, topic: NewTopic, herd: NewHerd) -> None:
    # Given a record that fails, three attempts, and a configuration that puts nothing aside
    name = topic(2)
    put(kafka, name, b"0", b"bad", b"2", b"3")
    errors = {"backoff_initial": 0.02, "backoff_max": 0.3, "max_attempts": 3, "on_exhausted": "hold"}
    one = herd(tables(kafka, name, workers={"count": 1}, errors=errors), HANDLER)

    # When they are exhausted, then that is said once, with the record and its error
    event = one.wait_event("record_held")
    assert (event["topic"], event["partition"], event["offset"], event["attempt"]) == (name, 0, 1, 3)
    assert event["level"] == "error"
    assert "the database is away" in event["message"]

    # and the partition is paused and tried again each backoff_max, the other goes on, and the lag stays true
    put(kafka, name, b"0", b"1", b"2", partition=1)
    wait_committed(kafka, one, name, {0: 1, 1: 3})
    handled(one, 2 + 5 + 3)
    status = one.wait_status(lambda status: status["totals"]["held"] == 1 and status["lag"]["total"] == 3)
    assert status["totals"]["paused"] == 1
    assert status["lag"]["valid"]
    assert len(one.events("record_held")) == 1
    assert committed(kafka, one, name)[0] == 1
    assert {entry.offset for entry in ledger.read(one.ledger).at(name, 0)} == {0, 1}
    tries = [entry.at for entry in ledger.read(one.ledger).at(name, 0) if entry.offset == 1]
    assert min(after - before for before, after in pairwise(tries[2:])) >= 0.3

    # When the handler recovers, then the record is released, and the partition goes on in order
    switch(one).turn_on()
    one.wait_event("record_released", topic=name, partition=0, offset=1)
    wait_committed(kafka, one, name, {0: 4, 1: 3})
    one.wait_status(lambda status: status["totals"]["held"] == 0 and status["lag"]["total"] == 0)
    one.stop()
    record = ledger.read(one.ledger)
    assert set(record.duplicates()) == {(name, 0, 1)}
    assert record.disorder() == []
    assert one.events("dead_lettered") == []
    assert kafka.ends(f"dlq.{name}") == {0: 0, 1: 0}
