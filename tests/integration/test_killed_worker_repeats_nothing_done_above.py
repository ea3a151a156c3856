"""kill -9 of a worker that has done more than its last commit says, above a record that fails: that is not repeated."""

import os
import signal

from kherd.testing import ledger
from kherd.testing.handovers import wait_identified
from kherd.testing.notes import RESULTS, on_a_host
from kherd.testing.plugin import NewHerd, NewTopic
from kherd.testing.story import handled, put, switch, wait_committed
from kherd.testing.topics import Cluster

BATCH = {"count": 1, "mode": "batch"}
NEVER = {"commit_interval": 60}
"""But for the first commit, and the one at a stop."""
SLOW = {"backoff_initial": 3, "backoff_max": 3}


def test_a_killed_worker(kafka: Cluster, topic: NewTopic, herd: NewHerd) -> None:
    # Given a worker that has done 29 of 30 records, of which only its board tells
    name = topic(1)
    one = herd(on_a_host(kafka, name, "one", workers=BATCH, errors=SLOW, delivery=NEVER), RESULTS)
    one.wait_ready(1)
    wait_identified(one, 1)
    put(kafka, name, b"first")
    wait_committed(kafka, one, name, {0: 1})
    put(kafka, name, *[b"bad" if number == 3 else b"x" for number in range(1, 30)])
    handled(one, 30)
    one.wait_event("record_retried", offset=3)

    # When it is killed, and the failing record succeeds at its next attempt
    os.kill(one.worker_pids()[0], signal.SIGKILL)
    switch(one).turn_on()
    put(kafka, name, b"30")

    # Then only that comes again, as its second attempt, with what is new behind it
    handled(one, 32)
    one.stop()
    wait_committed(kafka, one, name, {0: 31})
    entries = ledger.read(one.ledger).entries
    assert [entry.offset for entry in entries] == [*range(30), 3, 30]
    assert [entry.note for entry in entries if entry.offset == 3] == ["1", "2"]
    assert [event["count"] for event in one.events("handed_over")] == [28]
