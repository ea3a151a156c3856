"""What a handler returns is acknowledged before its record is committed, also when kill -9 comes in between."""

import os
import signal

from kherd.testing import ledger
from kherd.testing.plugin import NewHerd, NewTopic
from kherd.testing.producing import Feeder
from kherd.testing.reading import read
from kherd.testing.story import PRELUDE, committed, handled, shared, tables
from kherd.testing.topics import Cluster
from kherd.testing.wait import until

HANDLER = f"""{PRELUDE}
def handle(message):
    LEDGER.write(message)
    return Record("TARGET", message.value(), key=b"%d" % message.partition())
"""
KILLS = 5


def test_outputs(kafka: Cluster, topic: NewTopic, herd: NewHerd) -> None:
    # Given a herd that answers each record with another, commits as often as it can, and sends slowly
    name, target = topic(2), topic(1, name="target")
    config = tables(
        kafka,
        name,
        app={"instance": "here"},
        workers={"count": 2},
        delivery={"commit_interval": 0},
        kafka={"producer": {"linger.ms": 200}},
    )
    one = herd(config, HANDLER.replace("TARGET", target))
    one.wait_status(shared)

    # When its workers are killed one after another in the middle of a stream
    with Feeder(kafka.client_properties(), name, 200, partitions=2) as feeder:
        for number in range(KILLS):
            handled(one, len(ledger.read(one.ledger)) + 100)
            victim = one.wait_ready(2)["slots"][number % 2]["pid"]
            os.kill(victim, signal.SIGKILL)
            one.wait_event("child_died", child_pid=victim)

            # Then at no moment is a record committed whose output is not there
            done = committed(kafka, one, name)
            outputs = {(out.key(), out.value()) for out in read(kafka, target)}
            missing = {
                (partition, n)
                for partition, end in done.items()
                for n in range(partition, 2 * end, 2)
                if (b"%d" % partition, b"%d" % n) not in outputs
            }
            assert missing == set()
    produced = feeder.acknowledged
    ends = {partition: len(offsets) for partition, offsets in produced.items()}
    until(lambda: committed(kafka, one, name) == ends, 30, f"commits {ends}")
    one.stop()
    assert {out.value() for out in read(kafka, target)} == {b"%d" % n for n in range(feeder.count)}
