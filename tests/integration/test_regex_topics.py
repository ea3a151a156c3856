"""A topic that a regex matches is consumed though it was created later; the herd's own dead-letter topics never are."""

from kherd.testing import ledger
from kherd.testing.plugin import NewHerd, NewTopic
from kherd.testing.reading import read
from kherd.testing.story import PRELUDE, put, tables, wait_committed
from kherd.testing.topics import Cluster

HANDLER = f"""{PRELUDE}
def handle(message):
    LEDGER.write(message)
    if message.value() == b"bad":
        raise ProcessingError("no order")
"""
SOON = {"topic.metadata.refresh.interval.ms": 300}
"""How often clients look for topics that match; 300 s, for the liaison 30 s, if nothing is said."""


def test_regex(kafka: Cluster, topic: NewTopic, herd: NewHerd) -> None:
    # Given a regex that matches one topic, and the dead-letter topics that will be made for what it matches
    first = topic(2)
    put(kafka, first, b"0", b"bad", b"2")
    config = tables(
        kafka,
        f"^{first.replace('.', '[.]')}.*",
        workers={"count": 1},
        dead_letter={"topic": "{topic}.dlq"},
        kafka={"consumer": SOON, "producer": {"topic.metadata.propagation.max.ms": 500}},
    )

    # When a herd consumes it, then it does what it does with any topic
    one = herd(config, HANDLER)
    wait_committed(kafka, one, first, {0: 3})
    assert [letter.value() for letter in read(kafka, f"{first}.dlq")] == [b"bad"]

    # When another one appears, then it is taken up with all that is in it, and with a dead-letter topic of its own
    second = kafka.create_topic(f"{first}.later", 1)
    put(kafka, second, b"0", b"bad", b"2")
    wait_committed(kafka, one, second, {0: 3})
    assert [letter.value() for letter in read(kafka, f"{second}.dlq")] == [b"bad"]
    status = one.wait_status(lambda status: set(status["lag"]["topics"]) == {first, second})
    one.wait_status(lambda status: status["lag"]["total"] == 0 and status["dead_letters"] == 2)

    # and no dead letter has come back as a record
    assert {place["topic"] for slot in status["slots"] for place in slot["partitions"]} == {first, second}
    one.stop()
    record = ledger.read(one.ledger)
    assert {entry.topic for entry in record.entries} == {first, second}
    assert record.duplicates() == {}
