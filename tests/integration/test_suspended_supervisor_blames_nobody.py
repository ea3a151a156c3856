"""A supervisor that stood still (SIGSTOP, a paused machine) and goes on: nobody is killed for it, all work went on."""

import signal

import pytest

from kherd.supervisor.decide.hang import SILENT_SECONDS
from kherd.testing.plugin import NewHerd, NewTopic
from kherd.testing.results import count
from kherd.testing.story import PRELUDE, handled, put, shared, tables, wait_committed
from kherd.testing.topics import Cluster
from kherd.worker import clock

pytestmark = pytest.mark.alone

HANDLER = f"""{PRELUDE}
def handle(message):
    LEDGER.write(message)
"""


def test_no_massacre(kafka: Cluster, topic: NewTopic, herd: NewHerd) -> None:
    # Given a herd at work
    name = topic(3)
    seconds = count(30, 17)
    assert seconds > SILENT_SECONDS
    workers = {"count": 3, "handler_timeout": 2, "start_timeout": 10}
    one = herd(tables(kafka, name, app={"instance": "here"}, workers=workers), HANDLER)
    before = {slot["slot"]: slot["pid"] for slot in one.wait_status(shared)["slots"]}
    others = {role: service["pid"] for role, service in one.status()["services"].items()}

    # When it stands still for longer than any of its limits, then records are handled all the while
    one.signal(signal.SIGSTOP)
    began = clock.monotonic()
    sent = 0
    while clock.monotonic() - began < seconds:
        for partition in range(3):
            put(kafka, name, b"x", partition=partition)
        sent += 1
        handled(one, 3 * sent)
        clock.sleep(0.5)

    # and when it goes on, everybody is who they were
    one.signal(signal.SIGCONT)
    one.wait_status(lambda status: status["lag"]["total"] == 0)
    clock.sleep(3.0)
    assert one.worker_pids() == before
    assert {role: service["pid"] for role, service in one.status()["services"].items()} == others
    assert one.events("child_died") == one.events("child_killed") == []
    wait_committed(kafka, one, name, dict.fromkeys(range(3), sent))
    one.stop(code=0)
