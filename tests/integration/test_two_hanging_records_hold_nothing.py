"""Two records that hang at once, while others are handled, are no outage: both are put aside, and nothing else."""

from kherd.testing.killers import DEATHS, KILL, deaths, expect, feed, settle
from kherd.testing.plugin import NewHerd, NewTopic
from kherd.testing.story import tables
from kherd.testing.topics import Cluster

BUSY = 2
"""The partition that is worked off while those before it hang."""
PACED = f"""{KILL}
def handle(message):
    meet(message)
    if message.partition() == {BUSY}:
        time.sleep(0.02)
    LEDGER.write(message)
"""


def test_two_hangs_at_once(kafka: Cluster, topic: NewTopic, herd: NewHerd) -> None:
    # Given three workers, and a hanging record at the same place of two partitions
    name, number = topic(3), 1000
    killers = {0: [(1, b"hang")], 1: [(1, b"hang")], BUSY: []}
    workers = {"count": 3, "handler_timeout": 1.2}
    one = herd(tables(kafka, name, app={"instance": "here"}, workers=workers), PACED)
    settle(kafka, one, name, 3, 3)

    # When they hang, over and over, while the third partition is worked off
    feed(kafka, name, killers, number)
    expect(kafka, one, name, killers, number, "two_hangs")

    # Then both are put aside; a first hang may have been taken for half an outage
    for kills in deaths(one).values():
        assert DEATHS <= kills <= DEATHS + 1
    one.stop()
