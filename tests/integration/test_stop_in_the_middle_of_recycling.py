"""TERM while a worker is being replaced: everything that was begun is finished and committed, nothing comes back."""

import signal

from kherd.testing import ledger
from kherd.testing.plugin import NewHerd, NewTopic
from kherd.testing.story import PRELUDE, put, shared, switch, tables, wait_committed
from kherd.testing.topics import Cluster

HANDLER = f"""{PRELUDE}
LEAK = []

def handle(message):
    LEDGER.write(message)
    if message.value() == b"leak":
        LEAK.append(os.urandom(1 << 20) * 150)
        while not SWITCH.on:
            time.sleep(0.02)
"""


def test_a_stop(kafka: Cluster, topic: NewTopic, herd: NewHerd) -> None:
    # Given a worker that is over its limit, but has to finish a record before it can be replaced
    name = topic(2)
    limits = {"memory_soft": "120MiB", "jitter": 0}
    one = herd(tables(kafka, name, app={"instance": "here"}, workers={"count": 2}, limits=limits), HANDLER)
    one.wait_status(shared)
    one.wait_status(lambda status: all(slot["since"] > 2 for slot in status["slots"]))  # it was below the limit first
    put(kafka, name, b"0", b"leak", b"2")
    recycled = one.wait_event("child_recycled")
    one.wait_status(lambda status: status["workers"]["by_state"].get("draining"))

    # When the supervisor is told to stop, and the record is finished
    one.signal(signal.SIGTERM)
    one.wait_event("supervisor_stopping")
    switch(one).turn_on()

    # Then all of it ends in order, and nobody takes the place of the worn one
    one.wait_end()
    assert len(one.events("child_started", child=recycled["child"])) == 1
    assert one.events("child_killed") == []
    found = ledger.read(one.ledger)
    assert [entry.offset for entry in found.at(name, 0)] == [0, 1]
    wait_committed(kafka, one, name, {0: 2})
