"""While a dead letter cannot be published its partition waits and nothing is dropped; once it can be, all goes on."""

from collections.abc import Mapping
from typing import Any

from kherd.testing import ledger
from kherd.testing.herd import Herd
from kherd.testing.kafka import KafkaCluster
from kherd.testing.plugin import NewHerd, NewTopic
from kherd.testing.reading import read
from kherd.testing.security import HERD
from kherd.testing.story import PRELUDE, committed, put, tables, wait_committed
from kherd.testing.topics import Cluster

HANDLER = f"""{PRELUDE}
def handle(message):
    LEDGER.write(message)
    if message.value() == b"bad":
        raise ProcessingError("no order")
"""
ERRORS = {"backoff_initial": 0.1, "backoff_max": 0.5}
UNKNOWN_SOON = {"topic.metadata.propagation.max.ms": 500}
"""librdkafka waits this long (30 s) before it believes that a topic does not exist."""


def test_the_topic_is_missing(kafka_secured: KafkaCluster, topic: NewTopic, herd: NewHerd) -> None:
    # Given a dead-letter topic that nobody has made, and nobody makes
    kafka = kafka_secured
    name = topic(2, on=kafka)
    put(kafka, name, b"0", b"bad")
    config = configure(kafka, name, dead_letter={"create": False}, producer=UNKNOWN_SOON)
    kafka.allow_herd([name], config["app"]["name"], [f"dlq.{name}"])

    # When a record is to go there, then that is told, and told by the liaison even before
    one = herd(config, HANDLER)
    one.wait_event("topic_missing", topic=f"dlq.{name}")
    waits(one, kafka, name)

    # When the topic appears, then all that is due goes there, and the partition goes on
    kafka.create_topic(f"dlq.{name}", 2)
    goes_on(one, kafka, name)


def test_writing_is_not_allowed(kafka_secured: KafkaCluster, topic: NewTopic, herd: NewHerd) -> None:
    # Given a herd that may do all it must, except to make and fill its dead-letter topic
    kafka = kafka_secured
    name = topic(2, on=kafka)
    kafka.create_topic(f"dlq.{name}", 2)
    put(kafka, name, b"0", b"bad")
    config = configure(kafka, name)
    kafka.allow_herd([name], config["app"]["name"])

    # When a record is to go there, then its partition waits; when it is allowed, it goes on
    one = herd(config, HANDLER)
    waits(one, kafka, name)
    kafka.allow_herd([name], config["app"]["name"], [f"dlq.{name}"])
    goes_on(one, kafka, name)
    assert one.events("child_died") == []


def test_it_is_too_large_even_without_its_value(kafka_secured: KafkaCluster, topic: NewTopic, herd: NewHerd) -> None:
    # Given a dead-letter topic that takes less than what is told of a failure
    kafka = kafka_secured
    name = topic(2, on=kafka)
    kafka.create_topic(f"dlq.{name}", 2, max_message_bytes="200")
    put(kafka, name, b"0", b"bad")
    config = configure(kafka, name)
    kafka.allow_herd([name], config["app"]["name"], [f"dlq.{name}"])

    # When a record is to go there, then its partition waits; when there is room, it goes on, and the record is whole
    one = herd(config, HANDLER)
    waits(one, kafka, name)
    assert "MSG_SIZE_TOO_LARGE" in one.events("dead_letter_failed")[0]["reason"]
    kafka.set_topic(f"dlq.{name}", max_message_bytes="1000000")
    goes_on(one, kafka, name)


def configure(
    cluster: KafkaCluster, name: str, producer: Mapping[str, Any] | None = None, **more: Any
) -> dict[str, Any]:
    app = {"name": f"group-of-{name[-8:]}"}
    kafka = {"producer": producer or {}}
    return tables(cluster, name, user=HERD, app=app, workers={"count": 1}, errors=ERRORS, kafka=kafka, **more)


def waits(one: Herd, kafka: Cluster, name: str) -> None:
    where: dict[str, Any] = {"topic": name, "partition": 0, "offset": 1, "dead_letter_topic": f"dlq.{name}"}
    one.wait_event("dead_letter_failed", count=2, **where)
    # The other partition goes on meanwhile; nothing behind the record is handled, nothing committed past it.
    put(kafka, name, b"2", b"bad", b"4")
    put(kafka, name, b"0", b"1", b"2", partition=1)
    wait_committed(kafka, one, name, {0: 1, 1: 3})
    one.wait_status(lambda status: status["totals"]["paused"] == 1 and status["lag"]["total"] == 4)
    said = len(one.events("dead_letter_failed", **where))
    one.wait_event("dead_letter_failed", count=said + 1, **where)
    assert {entry.offset for entry in ledger.read(one.ledger).at(name, 0)} == {0, 1}
    assert committed(kafka, one, name)[0] == 1


def goes_on(one: Herd, kafka: Cluster, name: str) -> None:
    wait_committed(kafka, one, name, {0: 5, 1: 3})
    one.wait_status(lambda status: status["totals"]["paused"] == 0 and status["lag"]["total"] == 0)
    one.stop()
    assert [letter.value() for letter in read(kafka, f"dlq.{name}")] == [b"bad", b"bad"]
    # The handler is not asked again: what it said of the record is known.
    record = ledger.read(one.ledger)
    assert record.duplicates() == {}
    assert record.disorder() == []
    assert len(record) == 8
