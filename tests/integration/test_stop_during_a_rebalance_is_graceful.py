"""TERM while the group is rebalancing, classic static: all is committed, nobody is killed, and it takes no deadline.

A member that has revoked waits for the others to join again, and behind its unanswered JoinGroup request no commit of
it is answered: those who are done have to stay until it is.
"""

import signal

from kherd.testing.plugin import NewHerd, NewTopic
from kherd.testing.producing import fill
from kherd.testing.results import count, report, spread
from kherd.testing.scenes import config
from kherd.testing.topics import Cluster
from kherd.worker import clock

FEW, MANY, PARTITIONS, RECORDS = 1, 4, 8, 4000
ROUNDS = count(20, 2)
HANDLER = """
import time

def handle(message):
    time.sleep(0.05)
"""


def test_a_stop_during_a_rebalance(kafka: Cluster, herd: NewHerd, topic: NewTopic) -> None:
    took, uncommitted = [], 0
    for _ in range(ROUNDS):
        name = topic(PARTITIONS)
        fill(kafka.client_properties(), name, RECORDS, partitions=PARTITIONS)
        one = herd(config(kafka, name, FEW, workers={"max_in_flight": 10}), HANDLER)
        one.wait_ready(FEW)
        one.configure({**one.settings, "workers": {**one.settings["workers"], "count": MANY}})
        one.ask("reload")
        one.wait_ready(MANY)
        began = clock.monotonic()
        one.signal(signal.SIGTERM)
        one.wait_end()
        took.append(clock.monotonic() - began)
        assert one.events("commit_stuck") == one.events("child_killed") == []
        uncommitted += sum(event["uncommitted"] for event in one.events("drained"))
        assert uncommitted == 0
        handled = sum(event["handled"] for event in one.events("drained"))
        assert sum(kafka.committed(one.settings["app"]["name"], name).values()) == handled
    report("stop_during_a_rebalance", {"stops": ROUNDS, "stop_seconds": spread(took), "uncommitted": uncommitted})
