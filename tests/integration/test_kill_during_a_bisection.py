"""kill -9 in the middle of a bisection: what was done before is not done again, the poison alone is put aside."""

import os
import signal

from kherd.testing import ledger
from kherd.testing.plugin import NewHerd, NewTopic
from kherd.testing.reading import headers, read
from kherd.testing.story import PRELUDE, handled, put, switch, tables, wait_committed
from kherd.testing.topics import Cluster

COUNT, POISON, HELD = 256, 200, 160
HANDLER = f"""{PRELUDE}
import time

def handle(messages):
    offsets = [message.offset() for message in messages]
    if {POISON} in offsets:
        raise ProcessingError("no order")
    while {HELD} in offsets and not SWITCH.on:
        time.sleep(0.01)
    LEDGER.write(*messages)
"""


def test_kill(kafka: Cluster, topic: NewTopic, herd: NewHerd) -> None:
    # Given a bisection that has done the half without poison, and is held up in the other one
    name = topic(1)
    put(kafka, name, *(b"%d" % n for n in range(COUNT)))
    workers = {"count": 1, "mode": "batch", "batch_wait": 0.5}
    errors = {"backoff_initial": 0.05, "backoff_max": 0.1}
    one = herd(tables(kafka, name, workers=workers, errors=errors), HANDLER)
    assert handled(one, COUNT // 2).missing(name, {0: range(COUNT // 2)}) == set()

    # When its worker is killed
    os.kill(one.worker_pids()[0], signal.SIGKILL)
    one.wait_event("child_died")
    switch(one).turn_on()

    # Then the successor goes on behind what was done
    wait_committed(kafka, one, name, {0: COUNT})
    one.stop()
    record = ledger.read(one.ledger)
    assert [entry.offset for entry in record.at(name, 0)] == [offset for offset in range(COUNT) if offset != POISON]
    [letter] = read(kafka, f"dlq.{name}")
    assert dict(headers(letter))["__dlq.errors.offset"] == b"%d" % POISON
