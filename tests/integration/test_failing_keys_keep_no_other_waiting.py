"""With calls beside each other a poison and a record that is retried hold their key alone, and that in order."""

from kherd.testing.keyed import BEGAN, by_key, calls, disorder, ends, overlaps, workers
from kherd.testing.ledger import read
from kherd.testing.plugin import NewHerd, NewTopic
from kherd.testing.reading import read as read_topic
from kherd.testing.story import PRELUDE, put, switch, tables, wait_committed
from kherd.testing.topics import Cluster
from kherd.testing.wait import until

HANDLER = f"""{PRELUDE}
def handle(message):
    LEDGER.write(message, note="began")
    time.sleep(0.002)
    if message.value() == b"poison":
        LEDGER.write(message, note="failed")
        raise ProcessingError("never")
    if message.value() == b"down" and not SWITCH.on:
        LEDGER.write(message, note="failed")
        raise RuntimeError("down")
    LEDGER.write(message)
"""
ERRORS = {"backoff_initial": 0.05, "backoff_max": 0.2, "max_attempts": 1000}


def test_keys_that_fail(kafka: Cluster, herd: NewHerd, topic: NewTopic) -> None:
    # Given a partition with a poison and a record that fails for now, each with more of its key behind it
    name = topic(1)
    put(kafka, name, b"poison", *[b"%d" % n for n in range(20)], key=b"a")
    put(kafka, name, b"down", *[b"%d" % n for n in range(20)], key=b"b")
    put(kafka, name, *[b"%d" % n for n in range(200)], key=b"c")
    put(kafka, name, *[b"%d" % n for n in range(200)])
    one = herd(tables(kafka, name, workers=workers(1, 8), errors=ERRORS), HANDLER)

    # When it fails, then everything but its key goes on, the partition stays unpaused, and nothing passes it
    until(lambda: len(ends(read(one.ledger)).records) == 420, 30, "all but the key that waits")
    status = one.wait_status(lambda status: status["slots"][0]["counters"]["dead_lettered"] == 1)
    assert status["slots"][0]["counters"]["paused"] == 0
    wait_committed(kafka, one, name, {0: 21})
    put(kafka, name, b"more", key=b"d")
    until(lambda: len(ends(read(one.ledger)).records) == 421, 30, "what came meanwhile")
    assert {entry.offset for entry in read(one.ledger).entries if entry.key == b"b"} == {21}

    # When its cause is gone, then the key goes on in order
    switch(one).turn_on()
    wait_committed(kafka, one, name, {0: 443})
    one.stop()
    handled = read(one.ledger)
    assert disorder(handled, by_key) == []
    assert overlaps(handled, by_key) == []
    assert ends(handled).duplicates() == {}
    assert set(calls(handled).duplicates()) == {(name, 0, 21)}
    [letter] = read_topic(kafka, f"dlq.{name}")
    assert letter.value() == b"poison"
    assert letter.key() == b"a"
    first = next(entry for entry in handled.entries if entry.key == b"a" and entry.offset == 1)
    assert first.note == BEGAN
