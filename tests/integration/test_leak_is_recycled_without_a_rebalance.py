"""A worker that grows over memory_soft is replaced in its slot: no rebalance, nothing lost, nothing done twice."""

import pytest

from kherd.testing.generations import generation
from kherd.testing.ledger import read
from kherd.testing.plugin import NewHerd, NewTopic
from kherd.testing.producing import Feeder
from kherd.testing.scenes import config, group, shares, wait_handled, wait_settled
from kherd.testing.story import PRELUDE, put
from kherd.testing.topics import Cluster
from kherd.testing.wait import until

WORKERS, PARTITIONS, RATE = 3, 6, 300
HANDLER = f"""{PRELUDE}
LEAK = []

def handle(message):
    if message.value() == b"leak":
        LEAK.append(os.urandom(1 << 20) * 150)
    LEDGER.write(message)
"""


@pytest.mark.parametrize("protocol", ["classic", "consumer"])
def test_a_leak(kafka: Cluster, herd: NewHerd, topic: NewTopic, protocol: str) -> None:
    # Given a herd at work, with a limit well above what its workers need
    name = topic(PARTITIONS)
    limits = {"memory_soft": "120MiB", "memory_hard": "2GiB", "jitter": 0}
    one = herd(config(kafka, name, WORKERS, protocol=protocol, limits=limits), HANDLER)
    before = wait_settled(one, WORKERS, PARTITIONS)
    rounds = generation(kafka, group(one))
    with Feeder(kafka.client_properties(), name, RATE, partitions=PARTITIONS) as feeder:
        until(lambda: len(read(one.ledger)) > RATE, 20, "a steady stream")
        one.wait_status(lambda status: all(slot["since"] > 2 for slot in status["slots"]))  # all have been looked at

        # When one of them leaks
        put(kafka, name, b"leak", partition=3)
        recycled = one.wait_event("child_recycled")

        # Then it is replaced, by an end of its own accord
        assert str(recycled["reason"]).startswith("memory_soft: ")
        ended = one.wait_event("child_ended", child_pid=recycled["child_pid"])
        assert "drained" in ended["message"]
        after = wait_settled(one, WORKERS, PARTITIONS)

    # and nobody else, the group noticed nothing, and every record was handled once and in order
    gone = {slot["pid"] for slot in before["slots"]} - {slot["pid"] for slot in after["slots"]}
    assert gone == {recycled["child_pid"]}
    assert shares(after) == shares(before)
    assert (after["recycled"], after["deaths"], after["restarts"]) == ({"memory_soft": 1}, {}, 0)
    assert generation(kafka, group(one)) == rounds, "the group has rebalanced"
    record = wait_handled(one, name, feeder.acknowledged)
    assert record.duplicates() == {}
    assert record.disorder() == []
    one.stop()
    assert len(one.events("child_recycled")) == 1
