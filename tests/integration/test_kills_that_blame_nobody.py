"""Workers that kherd stops, replaces or reloads, and kills from outside spread over many records, put nothing aside."""

import os
import random
import signal
import time

from kherd.testing import ledger
from kherd.testing.killers import settle
from kherd.testing.plugin import NewHerd, NewTopic
from kherd.testing.producing import Feeder
from kherd.testing.results import count
from kherd.testing.scenes import wait_handled
from kherd.testing.story import PRELUDE, tables
from kherd.testing.topics import Cluster

SLOW = f"""{PRELUDE}
def handle(message):
    time.sleep(0.01)
    LEDGER.write(message)
"""
WORKERS, PARTITIONS, RATE = 2, 4, 100


def test_nobody_is_blamed(kafka: Cluster, topic: NewTopic, herd: NewHerd) -> None:
    # Given a herd that mostly is in the middle of a call, and replaces its workers every so many records
    name = topic(PARTITIONS)
    config = tables(
        kafka,
        name,
        app={"instance": "here"},
        workers={"count": WORKERS},
        limits={"max_records": 150, "jitter": "0%"},
        errors={"max_crashes": 2},
    )
    one = herd(config, SLOW)
    settle(kafka, one, name, WORKERS, PARTITIONS)
    dice = random.Random(4)
    with Feeder(kafka.client_properties(), name, RATE, partitions=PARTITIONS) as feeder:
        # When workers are killed at random, the code is reloaded, and the herd is stopped and started again
        for _ in range(count(100, 6)):
            time.sleep(dice.uniform(0.2, 0.4))
            one.wait_status(lambda status: not status["suspects"])  # or two kills may meet the same record
            pids = list(one.worker_pids().values())
            if pids:
                os.kill(dice.choice(pids), signal.SIGKILL)
        one.wait_ready(WORKERS)
        one.ask("restart")
        one.wait_event("roll_done")
        one.stop()
        one.start()
        one.wait_ready(WORKERS)
    wait_handled(one, name, feeder.acknowledged, 60.0)

    # Then every record is handled, nothing is put aside, and whoever was suspected is so no more
    one.wait_status(lambda status: not status["suspects"])
    status = one.status()
    assert (status["totals"]["dead_lettered"], status["dead_letters"]) == (0, 0)
    one.stop()
    assert one.events("quarantined") == one.events("quarantine_held") == []
    killed = len(one.events("child_died"))
    again = ledger.read(one.ledger).duplicates(name)
    assert sum(again.values()) - len(again) <= killed
