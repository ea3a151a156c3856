"""A record with an unknown error is retried in place: its partition waits, in order, and all other partitions go on."""

from itertools import pairwise

from kherd.testing import ledger
from kherd.testing.herd import Document
from kherd.testing.plugin import NewHerd, NewTopic
from kherd.testing.story import PRELUDE, committed, put, switch, tables, wait_committed
from kherd.testing.topics import Cluster

HANDLER = f"""{PRELUDE}
def handle(message):
    LEDGER.write(message, note=str(context().attempt))
    if message.value() == b"bad" and not SWITCH.on:
        raise ConnectionError("the database is away")
"""


def test_retried_in_place(kafka: Cluster, topic: NewTopic, herd: NewHerd) -> None:
    # Given a record in the middle of partition 0 whose handler fails until somebody mends the world
    name = topic(2)
    put(kafka, name, b"0", b"1", b"bad", b"3", b"4")
    put(kafka, name, b"0", b"1", partition=1)
    errors = {"backoff_initial": 0.05, "backoff_max": 0.2, "max_attempts": 1000}

    # When one worker that has both partitions meets it
    one = herd(tables(kafka, name, workers={"count": 1}, errors=errors), HANDLER)
    one.wait_event("record_retried", count=4, topic=name, partition=0, offset=2)

    # Then the other partition goes on, also with what arrives now
    put(kafka, name, b"2", b"3", b"4", partition=1)
    wait_committed(kafka, one, name, {0: 2, 1: 5})
    before = len(one.events("record_retried"))
    one.wait_event("record_retried", count=before + 2)
    one.wait_status(lambda status: status["totals"]["paused"] == 1 and lags(status) == {0: 3, 1: 0})

    # and the partition waits: nothing behind the record is handled, nothing is committed past it, the lag is true
    assert {entry.offset for entry in ledger.read(one.ledger).at(name, 0)} == {0, 1, 2}
    assert committed(kafka, one, name)[0] == 2

    # When the world is mended, then the record is handled once, and the rest follows in order
    switch(one).turn_on()
    wait_committed(kafka, one, name, {0: 5, 1: 5})
    one.wait_event("record_released", topic=name, partition=0, offset=2)
    one.wait_status(lambda status: status["totals"]["paused"] == 0 and status["lag"]["total"] == 0)
    one.stop()
    record = ledger.read(one.ledger)
    assert set(record.duplicates()) == {(name, 0, 2)}
    assert record.disorder() == []

    # and every attempt was numbered, the waits between them no shorter than half the backoff
    attempts = [entry for entry in record.at(name, 0) if entry.offset == 2]
    assert [entry.note for entry in attempts] == [str(n + 1) for n in range(len(attempts))]
    waits = [after.at - before.at for before, after in pairwise(attempts)]
    assert all(wait >= least for wait, least in zip(waits, [0.025, 0.05, *[0.1] * len(waits)], strict=False))
    assert one.events("dead_lettered") == []
    assert kafka.ends(f"dlq.{name}") == {0: 0, 1: 0}


def lags(status: Document) -> dict[int, int | None]:
    return {place["partition"]: place["lag"] for place in status["lag"]["partitions"]}
