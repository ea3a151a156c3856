"""A record that segfaults its worker beside other calls is put aside alone; no more is repeated than was under way."""

from kherd.testing.killers import DEATHS, RECORD, again, deaths, expect, feed, many, said, settle
from kherd.testing.plugin import NewHerd, NewTopic
from kherd.testing.story import tables
from kherd.testing.topics import Cluster

BESIDE = 16


def test_a_segfault_beside_other_calls(kafka: Cluster, topic: NewTopic, herd: NewHerd) -> None:
    # Given a herd that runs calls beside each other, and many records in two partitions, of which one segfaults
    name, number = topic(2), many()
    killers = {0: [(number // 2, b"segfault")], 1: []}
    workers = {"count": 2, "concurrency": BESIDE, "order": "none"}
    one = herd(tables(kafka, name, app={"instance": "here"}, workers=workers), RECORD)
    settle(kafka, one, name, 2, 2)

    # When it consumes them
    feed(kafka, name, killers, number)
    [letter] = expect(kafka, one, name, killers, number, "segfault_beside")

    # Then that one is dead-lettered, after a death among others at the most and three of its own
    assert DEATHS <= deaths(one)[0, number // 2] <= DEATHS + 1
    assert letter.value() == b"segfault"
    assert said(letter)["kherd.disposition"] == "crash_quarantine"
    assert said(letter)["kherd.exit.signal"] == "SIGSEGV"

    # and of all others only what was under way at a death was handled again
    one.stop()
    assert sum(times - 1 for times in again(one).values()) <= BESIDE * len(one.events("child_died"))
    assert len(one.events("quarantined")) == len(one.events("dead_lettered")) == 1
