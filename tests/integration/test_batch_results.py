"""A batch handler's Results decide record by record: done, put aside, skipped, retried, or turned into others."""

from kherd.testing import ledger
from kherd.testing.plugin import NewHerd, NewTopic
from kherd.testing.reading import headers, read
from kherd.testing.story import PRELUDE, put, tables, wait_committed
from kherd.testing.topics import Cluster

HANDLER = f"""{PRELUDE}
OUT = LEDGER_PATH + ".out"

def settle(message):
    value = message.value()
    if value == b"poison":
        return ProcessingError("no order")
    if value == b"skip":
        return Skip()
    if value == b"once more" and not seen(message):
        return ConnectionError("the database is away")
    if value == b"one":
        return Record("TARGET", b"a", key=b"k", headers=[("h", b"v")])
    if value == b"two":
        return [Record("TARGET", "b"), Record("TARGET", None)]
    return None

def seen(message):
    path = f"{{LEDGER_PATH}}.{{message.offset()}}"
    found = os.path.exists(path)
    open(path, "w").close()
    return found

def handle(messages):
    LEDGER.write(*messages)
    return Results([settle(message) for message in messages])
"""


def test_results(kafka: Cluster, topic: NewTopic, herd: NewHerd) -> None:
    # Given a batch of which each record has another fate
    name, target = topic(1), topic(1, name="target")
    put(kafka, name, b"0", b"poison", b"one", b"skip", b"once more", b"two", b"6")
    config = tables(
        kafka,
        name,
        workers={"count": 1, "mode": "batch"},
        errors={"backoff_initial": 0.05, "backoff_max": 0.2},
    )

    # When a herd handles it
    one = herd(config, HANDLER.replace("TARGET", target))
    wait_committed(kafka, one, name, {0: 7})
    status = one.wait_status(lambda status: status["lag"]["total"] == 0)
    one.stop()

    # Then each has had its own, and nothing else was handled twice
    assert [letter.value() for letter in read(kafka, f"dlq.{name}")] == [b"poison"]
    assert [(out.key(), out.value(), headers(out)) for out in read(kafka, target)] == [
        (b"k", b"a", [("h", b"v")]),
        (None, b"b", []),
        (None, None, []),
    ]
    record = ledger.read(one.ledger)
    assert record.duplicates() == {(name, 0, 4): 2}
    assert [event["offset"] for event in one.events("record_retried")] == [4]
    totals = status["totals"]
    assert (totals["skipped"], totals["dead_lettered"], totals["produced"]) == (1, 1, 3)
