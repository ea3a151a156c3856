"""A record at which the handler hangs is put aside after three kills, with the stack of where it was."""

from kherd.testing.killers import DEATHS, RECORD, again, deaths, expect, feed, many, said, settle
from kherd.testing.plugin import NewHerd, NewTopic
from kherd.testing.story import tables
from kherd.testing.topics import Cluster


def test_a_hang_among_many_records(kafka: Cluster, topic: NewTopic, herd: NewHerd) -> None:
    # Given a herd, and many records, at one of which the handler hangs
    name, number = topic(2), many()
    killers = {0: [(number // 2, b"hang")], 1: []}
    workers = {"count": 2, "handler_timeout": 0.3}
    one = herd(tables(kafka, name, app={"instance": "here"}, workers=workers), RECORD)
    settle(kafka, one, name, 2, 2)

    # When it consumes them
    feed(kafka, name, killers, number)
    [letter] = expect(kafka, one, name, killers, number, "hang")

    # Then it is put aside after three hangs, and says where they were
    assert deaths(one) == {(0, number // 2): DEATHS}
    told = said(letter)
    assert told["kherd.disposition"] == "crash_quarantine"
    assert told["__dlq.errors.stage"] == "TIMEOUT"
    assert told["__dlq.errors.delivery.count"] == str(DEATHS)
    assert "over handler_timeout 0.3 s" in told["__dlq.errors.exception.message"]
    assert "in stuck_in_a_loop" in told["__dlq.errors.exception.stacktrace"]
    assert told["kherd.exit.signal"] == "SIGKILL"
    assert one.status()["deaths"] == {"hang": DEATHS}
    one.stop()
    assert again(one) == {}
    assert one.events("hang_is_outage") == []
