"""kafka.start = "latest" begins at the end at the first assignment: a crash before the first commit skips nothing."""

import os
import signal

import pytest

from kherd.testing.plugin import NewHerd, NewTopic
from kherd.testing.scenes import config, wait_handled, wait_settled
from kherd.testing.story import PRELUDE, handled, put, switch, wait_committed
from kherd.testing.topics import Cluster

HANDLER = f"""{PRELUDE}
def handle(message):
    LEDGER.write(message, note="begun")
    while not SWITCH.on:
        time.sleep(0.02)
"""
OLD = 5


@pytest.mark.parametrize("static", [True, False], ids=["static", "dynamic"])
@pytest.mark.parametrize("protocol", ["classic", "consumer"])
def test_latest(kafka: Cluster, topic: NewTopic, herd: NewHerd, protocol: str, static: bool) -> None:
    # Given an idle herd on a topic with records from before its time
    name = topic(2)
    put(kafka, name, *[b"old"] * OLD)
    tables = config(kafka, name, 1, protocol=protocol, static=static, kafka={"start": "latest"}, lag={"interval": 0.2})
    one = herd(tables, HANDLER)
    wait_settled(one, 1, 2)

    # Then its start is committed, and there is no lag
    wait_committed(kafka, one, name, {0: OLD, 1: 0})
    one.wait_status(lambda status: status["lag"]["valid"] and status["lag"]["total"] == 0)

    # When its worker is killed in its first record, with others behind it, some of them written after its death
    put(kafka, name, b"new", b"new")
    handled(one, 1)
    one.wait_status(lambda status: status["lag"]["total"] == 2)
    os.kill(one.worker_pids()[0], signal.SIGKILL)
    put(kafka, name, b"new", partition=1)
    switch(one).turn_on()

    # Then every record since its start is handled, none of those before
    record = wait_handled(one, name, {0: [OLD, OLD + 1], 1: [0]}, 60)
    assert min(entry.offset for entry in record.entries if entry.partition == 0) == OLD
    wait_committed(kafka, one, name, {0: OLD + 2, 1: 1})
    one.stop()
