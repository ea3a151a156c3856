"""A record that a handler rejects becomes an acknowledged dead letter, byte for byte, and disturbs no other record."""

import re

from kherd.testing import ledger
from kherd.testing.plugin import NewHerd, NewTopic
from kherd.testing.reading import headers, read
from kherd.testing.story import PRELUDE, handled, put, tables, wait_committed
from kherd.testing.topics import Cluster

HANDLER = f"""{PRELUDE}
def parse(value):
    raise ValueError("no number")

def handle(message):
    LEDGER.write(message)
    if not message.value().isdigit():
        try:
            parse(message.value())
        except ValueError as error:
            raise ProcessingError("not an order") from error
"""
KEY, POISON = b"\x00key\xff", b"\xff not UTF-8 \x00"
OWN = [("trace", b"\xfe\xff"), ("none", None), ("trace", b"")]
NOW = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+(Z|\+00:00)")


def test_poison_among_good_records(kafka: Cluster, topic: NewTopic, herd: NewHerd) -> None:
    # Given two partitions, one with a record in its middle that is no order
    name = topic(2)
    put(kafka, name, b"0", b"1", b"2")
    put(kafka, name, POISON, key=KEY, headers=OWN)
    put(kafka, name, b"4", b"5")
    put(kafka, name, *(b"%d" % n for n in range(6)), partition=1)

    # When a herd consumes them
    one = herd(tables(kafka, name, workers={"count": 1}), HANDLER)
    wait_committed(kafka, one, name, {0: 6, 1: 6})

    # Then the record is in the partition of its source, byte for byte
    [letter] = read(kafka, f"dlq.{name}")
    assert (letter.partition(), letter.key(), letter.value()) == (0, KEY, POISON)
    assert headers(letter)[: len(OWN)] == OWN

    # and its headers say where it came from and what happened, in each of the three families
    said = {key: (value or b"").decode() for key, value in headers(letter)[len(OWN) :]}
    assert len(said) == len(headers(letter)) - len(OWN)
    [source] = [message for message in read(kafka, name) if message.value() == POISON]
    errors = {key.removeprefix("__dlq.errors."): value for key, value in said.items() if key.startswith("__dlq.")}
    stack = errors.pop("exception.stacktrace")
    assert errors == {
        "topic": name,
        "partition": "0",
        "offset": "3",
        "timestamp": str(source.timestamp()[1]),
        "timestamp.type": "CreateTime",
        "group": one.settings["app"]["name"],
        "delivery.count": "1",
        "message": "kherd.ProcessingError: not an order",
        "exception.class.name": "kherd.ProcessingError",
        "exception.message": "not an order",
        "stage": "HANDLE",
    }
    assert "ValueError: no number" in stack
    assert "in parse" in stack
    assert said["kafka_dlt-original-topic"] == name
    ours = {key: value for key, value in said.items() if key.startswith("kherd.")}
    assert ours.keys() == {
        "kherd.version",
        "kherd.disposition",
        "kherd.failure.first",
        "kherd.failure.last",
        "kherd.worker",
        "kherd.fingerprint",
        "kherd.replay.count",
    }
    assert (ours["kherd.disposition"], ours["kherd.replay.count"]) == ("handler_rejected", "0")
    assert NOW.fullmatch(ours["kherd.failure.first"])
    assert NOW.fullmatch(ours["kherd.failure.last"])
    assert f"pid {handled(one, 12).entries[0].pid}" in ours["kherd.worker"]

    # and everything else was handled once and in order, nothing waited, and the count of dead letters is known
    status = one.wait_status(lambda status: status["dead_letters"] == 1 and status["lag"]["total"] == 0)
    one.stop()
    record = ledger.read(one.ledger)
    assert len(record) == 12
    assert record.duplicates() == {}
    assert record.disorder() == []
    assert status["totals"]["dead_lettered"] == 1
    assert status["totals"]["handled"] == 11
    assert len(one.events("dead_lettered")) == 1
    for never in ("record_retried", "record_held", "dead_letter_failed", "internal_error"):
        assert one.events(never) == []
    assert one.log.other == []
