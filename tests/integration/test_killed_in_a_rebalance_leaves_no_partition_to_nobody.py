"""A static classic member killed in the middle of a rebalance leaves no partition to nobody: its group moves on."""

import os
import signal

from kherd.testing.plugin import NewHerd, NewTopic
from kherd.testing.story import PRELUDE, handled, put, switch, tables, wait_committed
from kherd.testing.topics import Cluster

HANDLER = f"""{PRELUDE}
def handle(message):
    LEDGER.write(message)
    if message.value() == b"long":
        while not SWITCH.on:
            time.sleep(0.01)
"""


def test_orphan(kafka: Cluster, topic: NewTopic, herd: NewHerd) -> None:
    # Given one worker with both partitions, busy in its handler
    name = topic(2)
    put(kafka, name, b"long", b"1")
    put(kafka, name, b"long", b"1", partition=1)
    one = herd(tables(kafka, name, app={"instance": "here"}, workers={"count": 1, "handler_timeout": 20}), HANDLER)
    victim = handled(one, 1).entries[0].pid
    # When another joins, so that the first is to give one up, and is killed before it could
    one.signal(signal.SIGTTIN)
    one.wait_ready(2)
    os.kill(victim, signal.SIGKILL)
    switch(one).turn_on()
    one.wait_event("child_died")
    one.wait_ready(2)
    # Then both partitions are worked on
    wait_committed(kafka, one, name, {0: 2, 1: 2}, 60)
