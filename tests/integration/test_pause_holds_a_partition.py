"""A paused partition stands still over a rescale and a rolling reload, others go on; resumed, nothing is missing."""

import json
import signal

from kherd.testing.herd import Document, Herd
from kherd.testing.ledger import read
from kherd.testing.plugin import NewHerd, NewTopic
from kherd.testing.producing import Feeder
from kherd.testing.rescale import kherd
from kherd.testing.scenes import LEDGER, config, wait_handled, wait_settled
from kherd.testing.topics import Cluster
from kherd.testing.wait import until

WORKERS, PARTITIONS, RATE, HALTED = 2, 6, 300, 3
PATIENCE = 20.0


def test_one_partition_waits_for_its_operator(kafka: Cluster, herd: NewHerd, topic: NewTopic) -> None:
    # Given two workers with a steady stream
    name = topic(PARTITIONS)
    tables = config(kafka, name, WORKERS, protocol="consumer", lag={"interval": 0.2})
    one = herd(tables, LEDGER)
    wait_settled(one, WORKERS, PARTITIONS)
    with Feeder(kafka.client_properties(), name, RATE, partitions=PARTITIONS) as feeder:
        others_go_on(one, name, RATE)

        # When a partition is paused, then what is in flight of it is finished and committed
        assert told(one, "pause", f"{name}:{HALTED}").startswith(f"paused: {name}[{HALTED}] since ")
        paused = one.wait_status(lambda status: status["totals"]["paused"] == 1)
        others_go_on(one, name, RATE)
        handled = count(one, name)
        until(
            lambda: row(one.status(), HALTED)["committed"] == handled, PATIENCE, "all that was handled to be committed"
        )

        # and it stands still while the others go on: as it is, with more workers and fewer, with those of a reload
        for workers in (4, WORKERS):
            told(one, "scale", str(workers))
            wait_settled(one, workers, PARTITIONS)
            others_go_on(one, name, RATE)
        tables["app"]["name"] = one.settings["app"]["name"]
        tables["workers"]["handler_timeout"] = "15s"
        one.configure(tables)
        one.signal(signal.SIGHUP)
        one.wait_event("roll_done", generation=2)
        wait_settled(one, WORKERS, PARTITIONS)
        others_go_on(one, name, RATE)
        assert count(one, name) == handled

    # and the lag is what is left of it, and everybody is told
    left = len(feeder.acknowledged[HALTED]) - handled
    status = one.wait_status(lambda status: status["lag"]["total"] == left, what=f"a lag of {left}")
    assert row(status, HALTED)["lag"] == left > RATE
    assert status["paused"] == paused["paused"]
    assert any(f"paused by an operator: {name}[{HALTED}] since" in problem for problem in status["problems"])
    assert json.loads(told(one, "status", "--json"))["paused"] == status["paused"]

    # When it is resumed, then every record is handled, once and in order
    assert told(one, "resume", f"{name}:{HALTED}") == "nothing is paused\n"
    done = wait_handled(one, name, feeder.acknowledged)
    assert done.duplicates() == {}
    assert done.disorder() == []
    one.wait_status(lambda status: status["lag"]["total"] == 0 == status["totals"]["paused"])
    assert one.status()["problems"] == []
    assert [event["places"] for event in one.events("paused")] == [f"{name}[{HALTED}]"]
    assert [event["left"] for event in one.events("resumed")] == ["nothing"]
    one.stop()


def told(herd: Herd, *words: str) -> str:
    """Return what a command of `kherd` says, which has to succeed."""
    asked = kherd(herd, *words)
    assert asked.returncode == 0, asked
    return asked.stdout


def count(herd: Herd, name: str) -> int:
    """Return how many records of the paused partition have been handled."""
    return len(read(herd.ledger).at(name, HALTED))


def row(status: Document, partition: int) -> Document:
    """Return the reading of one partition's lag."""
    found: list[Document] = [one for one in status["lag"]["partitions"] if one["partition"] == partition]
    return found[0] if found else {"committed": None, "lag": None}


def others_go_on(herd: Herd, name: str, more: int) -> None:
    """Wait until so many more records are handled, some of each of the other partitions."""
    before = read(herd.ledger).counts(name)

    def gone_on() -> bool:
        now = read(herd.ledger).counts(name)
        each = all(now.get(one, 0) > before.get(one, 0) for one in range(PARTITIONS) if one != HALTED)
        return each and sum(now.values()) >= sum(before.values()) + more

    until(gone_on, PATIENCE, "the other partitions to go on")
