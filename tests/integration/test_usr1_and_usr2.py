"""USR1 logs every worker's stacks; USR2 has a herd take nothing new and keep all it has, until the next USR2."""

import signal
from typing import Any

from kherd.testing import ledger
from kherd.testing.herd import Herd
from kherd.testing.plugin import NewHerd, NewTopic
from kherd.testing.producing import Feeder
from kherd.testing.story import PRELUDE, committed, handled, shared, tables
from kherd.testing.topics import Cluster
from kherd.testing.wait import until

HANDLER = f"""{PRELUDE}
def a_place_to_be():
    while not SWITCH.on:
        time.sleep(0.01)

def handle(message):
    LEDGER.write(message)
    if message.value() == b"0":
        a_place_to_be()
"""


def test_signals(kafka: Cluster, topic: NewTopic, herd: NewHerd) -> None:
    # Given two workers with a stream, one of them inside its handler
    name = topic(2)
    one = herd(tables(kafka, name, workers={"count": 2}), HANDLER)
    status = one.wait_status(shared)
    with Feeder(kafka.client_properties(), name, 100, partitions=2) as feeder:
        busy = until(lambda: at_first(one), 20, "a call for the first record of partition 0")

        # When USR1 comes, then the stacks of both are logged, and show what each is doing
        one.signal(signal.SIGUSR1)
        for pid in one.worker_pids().values():
            stacks = one.wait_event("child_stacks", child_pid=pid)["stacks"]
            assert ("a_place_to_be" in stacks) == (pid == busy)
        (one.folder / "ledger.switch").touch()
        handled(one, 100)

        # When USR2 comes, then what is in flight is finished and committed
        one.signal(signal.SIGUSR2)
        one.wait_status(lambda status: status["state"] == "quiet")
        until(
            lambda: committed(kafka, one, name) == ledger.read(one.ledger).counts(name),
            20,
            "all that was handled to be committed",
        )
        done = len(ledger.read(one.ledger))

        # and nothing new is handled while much arrives; the lag is true, the assignment and the processes are kept
        sent = feeder.count
        until(lambda: feeder.count >= sent + 200, 20, "200 more records")
        quiet = one.wait_status(lambda status: (status["lag"]["total"] or 0) >= 200)
        assert len(ledger.read(one.ledger)) == done
        assert places(quiet) == places(status)
        assert one.worker_pids() == {slot["slot"]: slot["pid"] for slot in status["slots"]}

        # When USR2 comes again, then all goes on from there
        one.signal(signal.SIGUSR2)
        one.wait_status(lambda status: status["state"] == "running")
        handled(one, done + 200)
    produced = feeder.acknowledged
    until(lambda: not ledger.read(one.ledger).missing(name, produced), 20, "every record to be handled")
    one.wait_status(lambda status: status["lag"]["total"] == 0)
    one.stop()
    record = ledger.read(one.ledger)
    assert record.duplicates() == {}
    assert record.disorder() == []


def at_first(one: Herd) -> int | None:
    """Return the pid of who was given the first record of partition 0."""
    return next(
        (entry.pid for entry in ledger.read(one.ledger).entries if (entry.partition, entry.offset) == (0, 0)), None
    )


def places(status: dict[str, Any]) -> dict[int, list[int]]:
    return {slot["slot"]: [place["partition"] for place in slot["partitions"]] for slot in status["slots"]}
