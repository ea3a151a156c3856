"""A reload to a handler that cannot be used is told, stops at the first slot, and leaves the other workers at work."""

import signal

from kherd.testing import ledger
from kherd.testing.plugin import NewHerd, NewTopic
from kherd.testing.producing import Feeder
from kherd.testing.story import PRELUDE, handled, tables
from kherd.testing.topics import Cluster
from kherd.testing.wait import until

HANDLER = f"""{PRELUDE}
def handle(message):
    LEDGER.write(message)
"""


def test_broken_at_reload(kafka: Cluster, topic: NewTopic, herd: NewHerd) -> None:
    # Given three workers with a stream
    name = topic(6)
    config = tables(kafka, name, app={"name": f"h-{name[-8:]}"}, workers={"count": 3})
    one = herd(config, HANDLER)
    one.wait_ready(3)
    with Feeder(kafka.client_properties(), name, 100, partitions=6) as feeder:
        before = one.worker_pids()
        handled(one, 50)

        # When the handler is broken and the file asks for a new generation
        one.write_handler("import no_such_thing\n")
        one.configure({**config, "workers": {"count": 3, "batch_size": 100}})
        one.signal(signal.SIGHUP)
        event = one.wait_event("child_held")

        # Then one slot is held, with the reason, and the others go on as they are with all partitions
        held = int(event["child"].removeprefix("worker "))
        assert "no_such_thing" in event["message"]
        status = one.wait_status(lambda status: status["workers"]["ready"] == 2)
        others = {slot: pid for slot, pid in before.items() if slot != held}
        assert one.worker_pids() == others
        assert any("no_such_thing" in problem for problem in status["problems"])
        seen = len(ledger.read(one.ledger))
        until(lambda: ledger.read(one.ledger).entries[seen:][60:], 20, "60 more records")
        until(lambda: {e.partition for e in ledger.read(one.ledger).entries[seen:]} == set(range(6)), 20, "all six")
        assert one.worker_pids() == others

        # When it is mended, then a reload brings all three to the new code
        one.write_handler(HANDLER + "\n# mended\n")
        one.signal(signal.SIGHUP)
        one.wait_event("roll_done")
        one.wait_ready(3)
        assert not set(one.worker_pids().values()) & set(before.values())
    produced = feeder.acknowledged
    until(lambda: not ledger.read(one.ledger).missing(name, produced), 20, "every record to be handled")
    one.stop()
