"""A record that segfaults its worker is put aside after three deaths of its own, with signal and stack; all else is handled."""

from kherd.testing.killers import DEATHS, RECORD, again, deaths, expect, feed, many, said
from kherd.testing.plugin import NewHerd, NewTopic
from kherd.testing.story import tables
from kherd.testing.topics import Cluster


def test_a_segfault_among_many_records(kafka: Cluster, topic: NewTopic, herd: NewHerd) -> None:
    # Given many records in two partitions, of which one segfaults whoever handles it
    name, number = topic(2), many()
    killers = {0: [(number // 2, b"segfault")], 1: []}
    feed(kafka, name, killers, number)

    # When a herd consumes them
    one = herd(tables(kafka, name, app={"instance": "here"}, workers={"count": 2}), RECORD)
    [letter] = expect(kafka, one, name, killers, number)

    # Then that one is dead-lettered, once, after three deaths, and says how it killed
    assert deaths(one) == {(0, number // 2): DEATHS}
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

    # and the workers came back at once, nothing else was handled twice, and the status tells
    status = one.wait_status(lambda status: status["totals"]["quarantined"] == 1 and not status["suspects"])
    assert status["deaths"] == {"signal:SEGV": DEATHS}
    one.stop()
    assert again(one) == {}
    assert one.events("child_backoff") == []
    assert [event["crashes"] for event in one.events("suspected")] == [1, 2, 3]
    assert len(one.events("quarantined")) == 1
    assert one.events("acquitted") == []
