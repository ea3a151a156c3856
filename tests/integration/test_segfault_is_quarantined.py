"""A record that segfaults its worker is put aside after three deaths of its own, with signal and stack."""

import pytest

from kherd.testing.killers import BATCH, DEATHS, RECORD, again, deaths, expect, feed, many, said, settle
from kherd.testing.plugin import NewHerd, NewTopic
from kherd.testing.story import tables
from kherd.testing.topics import Cluster

HANDLERS = {"record": RECORD, "batch": BATCH}


@pytest.mark.parametrize("mode", ["record", "batch"])
def test_a_segfault_among_many_records(kafka: Cluster, topic: NewTopic, herd: NewHerd, mode: str) -> None:
    # Given a herd, and many records in two partitions, of which one segfaults whoever handles it
    name, number = topic(2), many()
    killers = {0: [(number // 2, b"segfault")], 1: []}
    workers = {"count": 2, "mode": mode, "batch_size": 100}
    one = herd(tables(kafka, name, app={"instance": "here"}, workers=workers), HANDLERS[mode])
    settle(kafka, one, name, 2, 2)

    # When it consumes them
    feed(kafka, name, killers, number)
    [letter] = expect(kafka, one, name, killers, number, f"segfault_{mode}")

    # Then that one is dead-lettered, once, after three deaths of its own, and says how it killed
    together = mode == "batch"
    assert deaths(one) == {(0, number // 2): DEATHS + together}
    assert letter.value() == b"segfault"
    told = said(letter)
    assert told["kherd.disposition"] == "crash_quarantine"
    assert told["__dlq.errors.stage"] == "CRASH"
    assert told["__dlq.errors.delivery.count"] == str(DEATHS)
    assert told["__dlq.errors.exception.class.name"] == "kherd.Crash"
    assert told["__dlq.errors.exception.message"] == "SIGSEGV, not sent by kherd"
    assert "in meet" in told["__dlq.errors.exception.stacktrace"]
    assert told["kherd.exit.signal"] == "SIGSEGV"
    assert int(told["kherd.peak.rss"]) > 10 << 20
    assert "pid" in told["kherd.worker"]
    assert told["kherd.failure.first"] < told["kherd.failure.last"]

    # and its worker came back at once, nothing was handled twice that no death was about, and the status tells
    status = one.wait_status(lambda status: status["totals"]["quarantined"] == 1 and not status["suspects"])
    assert status["deaths"] == {"signal:SEGV": DEATHS + together}
    one.stop()
    assert again(one) == {}
    assert one.events("child_backoff") == []
    alone = [event["crashes"] for event in one.events("suspected") if event["first"] == event["last"]]
    assert alone == [1, 2, 3]
    assert len(one.events("quarantined")) == len(one.events("dead_lettered")) == 1
