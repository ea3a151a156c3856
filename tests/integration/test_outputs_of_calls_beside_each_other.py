"""With calls beside each other, too, what a handler returns is acknowledged before its record counts as done, and a
key's outputs are in its order.
"""

import os
import signal
from collections import defaultdict

from kherd.testing import ledger
from kherd.testing.keyed import key, workers
from kherd.testing.plugin import NewHerd, NewTopic
from kherd.testing.producing import fill
from kherd.testing.reading import read
from kherd.testing.story import PRELUDE, committed, handled, tables
from kherd.testing.topics import Cluster
from kherd.testing.wait import until

HANDLER = f"""{PRELUDE}
import random

def handle(message):
    time.sleep(random.random() * 0.01)
    LEDGER.write(message)
    return Record("TARGET", message.value(), key=message.key())
"""
KILLS, RECORDS = 2, 1_500


def test_outputs(kafka: Cluster, topic: NewTopic, herd: NewHerd) -> None:
    # Given a worker that answers each record with another, commits as often as it can, and sends slowly
    name, target = topic(1), topic(1, name="target")
    config = tables(
        kafka,
        name,
        app={"instance": "here"},
        workers=workers(1, 16),
        delivery={"commit_interval": 0},
        kafka={"producer": {"linger.ms": 100}},
    )
    fill(kafka.client_properties(), name, RECORDS, partitions=1, key=key)
    one = herd(config, HANDLER.replace("TARGET", target))

    # When it is killed in the middle, then at no moment is a record committed whose output is not there
    for _ in range(KILLS):
        handled(one, len(ledger.read(one.ledger)) + 300)
        victim = one.wait_ready(1)["slots"][0]["pid"]
        os.kill(victim, signal.SIGKILL)
        one.wait_event("child_died", child_pid=victim)
        done = committed(kafka, one, name).get(0, 0)
        outputs = {out.value() for out in read(kafka, target)}
        assert {b"%d" % n for n in range(done)} <= outputs

    # and in the end all is there, the first output of each record after those of the ones of its key before it
    until(lambda: committed(kafka, one, name) == {0: RECORDS}, 30, "all committed")
    one.stop()
    seen: dict[bytes, list[int]] = defaultdict(list)
    for out in read(kafka, target):
        number = int(out.value() or b"-1")
        if number not in seen[bytes(out.key() or b"")]:
            seen[bytes(out.key() or b"")].append(number)
    assert sum(map(len, seen.values())) == RECORDS
    assert all(numbers == sorted(numbers) for numbers in seen.values())
