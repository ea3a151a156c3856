"""A dead-letter topic that is deleted while the herd runs: the next dead letter's partition waits until it is back."""

from kherd.testing import ledger
from kherd.testing.plugin import NewHerd, NewTopic
from kherd.testing.reading import read
from kherd.testing.story import PRELUDE, committed, put, tables, wait_committed
from kherd.testing.topics import Cluster

HANDLER = f"""{PRELUDE}
def handle(message):
    LEDGER.write(message)
    if message.value().startswith(b"bad"):
        raise ProcessingError("no order")
"""
SOON = {"topic.metadata.propagation.max.ms": 500, "topic.metadata.refresh.interval.ms": 1000}
"""librdkafka takes 30 s to believe that a topic does not exist, and asks every five minutes."""


def test_deleted(kafka: Cluster, topic: NewTopic, herd: NewHerd) -> None:
    # Given a herd that nobody has asked to make dead-letter topics, and that has put a record aside
    name = topic(2)
    target = f"dlq.{name}"
    kafka.create_topic(target, 2)
    put(kafka, name, b"0", b"bad 1", b"2")
    errors = {"backoff_initial": 0.1, "backoff_max": 0.5}
    config = tables(
        kafka, name, workers={"count": 1}, errors=errors, dead_letter={"create": False}, kafka={"producer": SOON}
    )
    one = herd(config, HANDLER)
    wait_committed(kafka, one, name, {0: 3})

    # When the topic is deleted and another record is to go there
    kafka.delete_topic(target)
    put(kafka, name, b"bad 2", b"4")
    put(kafka, name, b"0", b"1", partition=1)

    # Then its partition waits and says why, the other one goes on
    event = one.wait_event("dead_letter_failed", topic=name, partition=0, offset=3)
    assert target in event["message"]
    wait_committed(kafka, one, name, {0: 3, 1: 2})
    one.wait_event("dead_letter_failed", count=3, offset=3)
    assert committed(kafka, one, name)[0] == 3

    # When it is there again, then the letter goes there, and the partition goes on
    kafka.create_topic(target, 2)
    wait_committed(kafka, one, name, {0: 5, 1: 2}, seconds=60)
    one.wait_status(lambda status: status["totals"]["paused"] == 0 and status["lag"]["total"] == 0)
    one.stop()
    assert [letter.value() for letter in read(kafka, target)] == [b"bad 2"]
    assert ledger.read(one.ledger).duplicates() == {}
