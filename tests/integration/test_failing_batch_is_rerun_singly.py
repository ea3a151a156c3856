"""Without bisection a batch that raises is rerun one record at a time: only culprits are retried or put aside."""

from kherd.testing import ledger
from kherd.testing.plugin import NewHerd, NewTopic
from kherd.testing.reading import headers, read
from kherd.testing.story import PRELUDE, committed, put, switch, tables, wait_committed
from kherd.testing.topics import Cluster

HANDLER = f"""{PRELUDE}
def handle(messages):
    LEDGER.write(*messages, note=str(len(messages)))
    values = [message.value() for message in messages]
    if b"poison" in values:
        raise ProcessingError("no order")
    if b"bad" in values and not SWITCH.on:
        raise ConnectionError("the database is away")
"""


def test_batch(kafka: Cluster, topic: NewTopic, herd: NewHerd) -> None:
    # Given a batch with poison and, in another partition, one with a record whose handling fails for now
    name = topic(2)
    put(kafka, name, *(b"%d" % n for n in range(10)), b"poison", *(b"%d" % n for n in range(11, 20)))
    put(kafka, name, b"0", b"1", b"bad", b"3", b"4", partition=1)
    config = tables(
        kafka,
        name,
        workers={"count": 1, "mode": "batch", "batch_wait": 0.3, "bisect": False},
        errors={"backoff_initial": 0.05, "backoff_max": 0.2, "max_attempts": 1000},
    )

    # When a herd meets them
    one = herd(config, HANDLER)
    wait_committed(kafka, one, name, {0: 20, 1: 2})
    one.wait_event("record_retried", count=3, topic=name, partition=1, offset=2)

    # Then the batch is run again in lists of one, the poison alone is put aside, and the failing record alone waits
    one.wait_event("batch_failed")
    [letter] = read(kafka, f"dlq.{name}")
    assert (letter.partition(), letter.value()) == (0, b"poison")
    assert dict(headers(letter))["__dlq.errors.offset"] == b"10"
    retried = {(event["partition"], event["offset"]) for event in one.events("record_retried")}
    assert retried == {(1, 2)}
    assert {event["offset"] for event in one.events("dead_lettered")} == {10}
    assert committed(kafka, one, name)[1] == 2
    entries = ledger.read(one.ledger).at(name, 0)
    together = next(entry for entry in entries if entry.offset == 10 and entry.note != "1")
    assert {entry.note for entry in entries if entry.at > together.at} == {"1"}

    # When it can be handled, then the rest of its partition follows in order
    switch(one).turn_on()
    wait_committed(kafka, one, name, {0: 20, 1: 5})
    one.stop()
    record = ledger.read(one.ledger)
    assert record.missing(name, {0: range(20), 1: range(5)}) == set()
    assert record.disorder() == []
    assert [entry.offset for entry in record.at(name, 1)][-3:] == [2, 3, 4]
