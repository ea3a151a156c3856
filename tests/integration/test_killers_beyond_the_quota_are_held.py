"""Putting killers aside must be earned: the first ten go, the next waits with its partition until others are done."""

from kherd.testing.killers import RECORD, deaths, feed, settle
from kherd.testing.plugin import NewHerd, NewTopic
from kherd.testing.story import put, tables, wait_committed
from kherd.testing.topics import Cluster

FREE, COST, NUMBER = 10, 50, 14


def test_a_flood_of_killers(kafka: Cluster, topic: NewTopic, herd: NewHerd) -> None:
    # Given a herd, and a partition of which every record but the last kills
    name = topic(2)
    places = [(offset, b"exit") for offset in range(1, FREE + 3)]
    config = tables(kafka, name, app={"instance": "here"}, workers={"count": 2}, errors={"max_crashes": 1})
    one = herd(config, RECORD)
    settle(kafka, one, name, 2, 2)
    feed(kafka, name, {0: places}, NUMBER)

    # When ten have been put aside, then the next one is held, and the status says why
    held = FREE + 1
    one.wait_event("quarantine_held", first=held)
    wait_committed(kafka, one, name, {0: held, 1: 1})
    status = one.wait_status(lambda status: status["totals"]["held"] == 1)
    assert [row["first"] for row in status["suspects"] if row["verdict"] == "held"] == [held]
    assert any(f"{name}[0]@{held} has killed 1 processes and its partition waits" in one for one in status["problems"])
    assert len(one.events("quarantined")) == FREE

    # and the other partition goes on: as soon as enough of it is handled, the next one is put aside, and so on
    put(kafka, name, *(b"%d" % n for n in range(COST)), partition=1)
    one.wait_event("quarantine_held", first=held + 1)
    wait_committed(kafka, one, name, {0: held + 1, 1: 1 + COST})
    put(kafka, name, *(b"%d" % n for n in range(COST)), partition=1)
    wait_committed(kafka, one, name, {0: NUMBER, 1: 1 + 2 * COST})
    one.wait_status(lambda status: status["totals"]["held"] == 0 and not status["suspects"])
    assert set(deaths(one).values()) == {1}
    assert len(deaths(one)) == FREE + 2
    one.stop()
