"""A join that waits for a member that stands still is left alone as long as groups wait, and is a hang after that."""

import signal
import sys
from pathlib import Path

from kherd.testing.plugin import NewHerd, NewTopic
from kherd.testing.process import Process
from kherd.testing.results import FULL
from kherd.testing.scenes import LEDGER, config, group
from kherd.testing.topics import Cluster
from kherd.testing.wait import until
from kherd.worker import clock

WORKERS = 2
LIMIT = 360.0
SHORT = 5.0
MEMBER = """
import sys
from confluent_kafka import Consumer
bootstrap, group, topic = sys.argv[1:]
consumer = Consumer({
    "bootstrap.servers": bootstrap, "group.id": group, "partition.assignment.strategy": "cooperative-sticky",
    "session.timeout.ms": 1_000_000, "max.poll.interval.ms": 1_000_000,
})
consumer.subscribe([topic], on_assign=lambda *_: print("assigned", flush=True))
while True:
    consumer.poll(0.1)
"""


def test_a_join(kafka: Cluster, herd: NewHerd, topic: NewTopic, tmp_path: Path) -> None:
    # Given a group with a member that stands still, for which it waits
    name = topic(4)
    tables = config(kafka, name, WORKERS, kafka={"group": f"{name}.group"})
    log = tmp_path / "member.log"
    member = Process([sys.executable, "-c", MEMBER, kafka.bootstrap, f"{name}.group", name], log=log)
    try:
        until(lambda: "assigned" in log.read_text(), 30, "the member's partitions")
        member.send(signal.SIGSTOP)
        one = herd(tables, LEDGER)
        assert group(one) == f"{name}.group"
        one.wait_status(lambda status: status["workers"]["by_state"] == {"joining": WORKERS})
        began = clock.monotonic()

        # When workers have joined in vain for a while, then they are left alone
        clock.sleep(SHORT)
        assert one.status()["workers"]["by_state"] == {"joining": WORKERS}
        assert one.events("child_hangs") == []

        # and when it has been longer than the group may take, they are replaced
        if FULL:
            hangs = one.wait_event("child_hangs", LIMIT + 30, count=WORKERS)
            assert clock.monotonic() - began > LIMIT - 10
            assert "the group has not taken it in" in hangs["message"]
            one.wait_event("child_died", count=WORKERS)

        # and they are ready when the group goes on
        member.send(signal.SIGCONT)
        one.wait_ready(WORKERS)
        one.stop()
    finally:
        member.kill()
