"""A worker that shows no life outside its handler (SIGSTOP) is killed and replaced; a long call beside it is spared."""

import os
import signal

from kherd.supervisor.decide.hang import SILENT_SECONDS
from kherd.testing.plugin import NewHerd, NewTopic
from kherd.testing.story import PRELUDE, handled, put, shared, tables, wait_committed
from kherd.testing.topics import Cluster

HANDLER = f"""{PRELUDE}
def handle(message):
    LEDGER.write(message)
    if message.value() == b"long":
        time.sleep({SILENT_SECONDS + 5})
"""


def test_a_silent_worker(kafka: Cluster, topic: NewTopic, herd: NewHerd) -> None:
    # Given two workers, one of them in a call that lasts for longer than any silence may
    name = topic(2)
    workers = {"count": 2, "handler_timeout": SILENT_SECONDS + 20}
    one = herd(tables(kafka, name, app={"instance": "here"}, workers=workers, stop={"timeout": 60}), HANDLER)
    before = one.wait_status(shared)
    put(kafka, name, b"long", partition=0)
    busy = handled(one, 1).entries[0].pid
    victim = next(slot for slot in before["slots"] if slot["pid"] != busy)

    # When the other stands still
    os.kill(victim["pid"], signal.SIGSTOP)
    put(kafka, name, b"x", partition=1)

    # Then it is replaced, and its successor does the work
    died = one.wait_event("child_died", SILENT_SECONDS + 15, child_pid=victim["pid"])
    assert "outside the handler" in died["message"]
    wait_committed(kafka, one, name, {0: 1, 1: 1})
    assert one.worker_pids()[1 - victim["slot"]] == busy
    assert len(one.events("child_died")) == 1
    one.stop()
