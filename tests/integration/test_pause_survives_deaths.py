"""A pause outlives kill -9 of worker and supervisor, and a stop; resumed, each record is handled once, in order."""

import os
import signal

import pytest

from kherd.testing.herd import Herd
from kherd.testing.ledger import read
from kherd.testing.plugin import NewHerd, NewTopic
from kherd.testing.producing import Feeder
from kherd.testing.scenes import LEDGER, config, shares, wait_handled, wait_settled
from kherd.testing.topics import Cluster
from kherd.testing.wait import until

WORKERS, PARTITIONS, RATE, HALTED = 2, 4, 200, 1
PATIENCE = 20.0


@pytest.mark.parametrize(("protocol", "place"), [("classic", "partition"), ("consumer", "topic")])
def test_nobody_forgets_a_pause(kafka: Cluster, herd: NewHerd, topic: NewTopic, protocol: str, place: str) -> None:
    # Given a herd with a stream, of which a partition or the topic is paused and at rest
    name = topic(PARTITIONS)
    one = herd(config(kafka, name, WORKERS, protocol=protocol, lag={"interval": 0.2}), LEDGER)
    wait_settled(one, WORKERS, PARTITIONS)
    with Feeder(kafka.client_properties(), name, RATE, partitions=PARTITIONS) as feeder:
        until(lambda: len(read(one.ledger)) > RATE, PATIENCE, "a steady stream")
        halted = {HALTED} if place == "partition" else set(range(PARTITIONS))
        one.ask("pause", topic=name, **({"partition": HALTED} if place == "partition" else {}))
        status = one.wait_status(lambda status: status["totals"]["paused"] == len(halted))
        until(lambda: committed(one, halted) == counts(one, name, halted), PATIENCE, "what is done to be committed")
        before = counts(one, name, halted)
        since = status["paused"]

        # When its worker dies
        owner = next(slot for slot, share in shares(status).items() if HALTED in share)
        os.kill(one.worker_pids()[owner], signal.SIGKILL)
        one.wait_event("child_died", child=f"worker {owner}")
        status = wait_settled(one, WORKERS, PARTITIONS)
        one.wait_status(lambda status: status["totals"]["paused"] == len(halted))
        more(feeder)
        assert counts(one, name, halted) == before

        # When the supervisor dies
        one.kill()
        one.start()
        wait_settled(one, WORKERS, PARTITIONS)
        status = one.wait_status(lambda status: status["totals"]["paused"] == len(halted))
        assert status["paused"] == since
        more(feeder)
        assert counts(one, name, halted) == before

        # When it is stopped and started
        one.stop()
        one.start()
        wait_settled(one, WORKERS, PARTITIONS)
        status = one.wait_status(lambda status: status["totals"]["paused"] == len(halted))
        more(feeder)
        assert status["paused"] == since
        assert counts(one, name, halted) == before

    # Then, resumed, all that has come meanwhile is handled, once and in order
    assert one.ask("resume", topic=name, **({"partition": HALTED} if place == "partition" else {}))["paused"] == []
    done = wait_handled(one, name, feeder.acknowledged)
    assert {record for record in done.duplicates() if record[1] in halted} == set()
    assert done.disorder() == []
    one.wait_status(lambda status: status["lag"]["total"] == 0)
    one.stop()


def counts(herd: Herd, name: str, halted: set[int]) -> dict[int, int]:
    """Return how many records of each paused partition have been handled."""
    return {number: n for number, n in read(herd.ledger).counts(name).items() if number in halted}


def committed(herd: Herd, halted: set[int]) -> dict[int, int]:
    """Return the committed offset of each paused partition, by the newest reading of the lag."""
    rows = herd.status()["lag"]["partitions"]
    return {one["partition"]: one["committed"] for one in rows if one["partition"] in halted}


def more(feeder: Feeder) -> None:
    """Wait until a second's worth of records has been written."""
    sent = feeder.count
    until(lambda: feeder.count > sent + RATE, PATIENCE, "more records")
