"""kill -9 of the supervisor: nothing of it runs a second later, and the next one goes on at once, in any group."""

import os
import signal

import pytest

from kherd.testing.gaps import takeovers
from kherd.testing.ledger import read
from kherd.testing.plugin import NewHerd, NewTopic
from kherd.testing.producing import Feeder
from kherd.testing.results import report, spread
from kherd.testing.scenes import LEDGER, config, shares, wait_handled, wait_settled
from kherd.testing.topics import Cluster
from kherd.testing.wait import until

WORKERS, PARTITIONS, RATE = 3, 6, 300
GONE = 1.0
BACK = 12.0
"""Seconds: twice the broker's heartbeat interval (5 s) and an interpreter's start; the session timeout is 45 s."""


@pytest.mark.parametrize(("protocol", "static"), [("classic", True), ("classic", False), ("consumer", True)])
def test_a_killed_supervisor_is_replaced(
    kafka: Cluster, herd: NewHerd, topic: NewTopic, protocol: str, static: bool
) -> None:
    name = topic(PARTITIONS)
    one = herd(config(kafka, name, WORKERS, protocol=protocol, static=static), LEDGER)
    before = wait_settled(one, WORKERS, PARTITIONS)
    pids = one.worker_pids()
    with Feeder(kafka.client_properties(), name, RATE, partitions=PARTITIONS) as feeder:
        until(lambda: len(read(one.ledger)) > RATE, 20, "a steady stream")
        os.kill(one.pid, signal.SIGKILL)
        until(lambda: not one.processes(), GONE, "every process of the killed supervisor to be gone")
        one.start()
        after = wait_settled(one, WORKERS, PARTITIONS)
    assert after["life"] != before["life"]
    handled = wait_handled(one, name, feeder.acknowledged)
    taken = [
        one for slot, partitions in shares(before).items() for one in takeovers(handled, name, pids[slot], partitions)
    ]
    kind = f"{protocol}_{'static' if static else 'dynamic'}"
    report(f"kill_supervisor_{kind}", {"seconds_to_go_on": spread([one.seconds for one in taken])})
    assert [event for event in one.events("not_handed_over") if "in time" in event["reason"]] == []
    assert max(one.seconds for one in taken) < BACK
    one.stop()
