"""Of batches that fail, what fails alone is found in few calls and put aside; everything else is done exactly once."""

import math

from kherd.testing import ledger
from kherd.testing.plugin import NewHerd, NewTopic
from kherd.testing.reading import headers, read
from kherd.testing.story import PRELUDE, put, tables, wait_committed
from kherd.testing.topics import Cluster

COUNT = 500
POISON = {(0, 123), (1, 0), (1, 1), (1, 499)}
FAILING = {(0, 400)}
HANDLER = f"""{PRELUDE}
POISON, FAILING = {POISON}, {FAILING}

def handle(messages):
    for message in messages:
        if (message.partition(), message.offset()) in POISON:
            raise ProcessingError("no order")
        if (message.partition(), message.offset()) in FAILING:
            raise KeyError("customer")
    LEDGER.write(*messages)
"""


def test_bisection(kafka: Cluster, topic: NewTopic, herd: NewHerd) -> None:
    # Given two partitions whose batches hold poison, at their edges too, and a record that the handler cannot do
    name = topic(2)
    for partition in (0, 1):
        put(kafka, name, *(b"%d" % n for n in range(COUNT)), partition=partition)
    workers = {"count": 1, "mode": "batch", "batch_size": COUNT, "batch_wait": 0.2}
    errors = {"backoff_initial": 0.05, "backoff_max": 0.1, "max_attempts": 3, "on_exhausted": "dead_letter"}

    # When a herd meets them
    one = herd(tables(kafka, name, workers=workers, errors=errors), HANDLER)
    wait_committed(kafka, one, name, {0: COUNT, 1: COUNT})
    one.stop()

    # Then those alone are put aside, each with what it raised
    letters = {
        (letter.partition(), int(dict(headers(letter))["__dlq.errors.offset"] or b"")): dict(headers(letter))
        for letter in read(kafka, f"dlq.{name}")
    }
    assert letters.keys() == POISON | FAILING
    for place, said in letters.items():
        expected = b"kherd.ProcessingError" if place in POISON else b"KeyError"
        assert said["__dlq.errors.exception.class.name"] == expected

    # and every other record was done once, in the order of its partition
    record = ledger.read(one.ledger)
    done = [(entry.partition, entry.offset) for entry in record.entries]
    everything = {(partition, offset) for partition in (0, 1) for offset in range(COUNT)}
    assert sorted(done) == sorted(everything - letters.keys())
    assert record.disorder() == []

    # in as few calls as bisection takes
    bisected = one.events("batch_bisected")
    assert sum(event["culprits"] for event in bisected) == len(letters)
    for event in bisected:
        assert event["calls"] <= event["culprits"] * (2 * math.log2(event["count"]) + 2)
