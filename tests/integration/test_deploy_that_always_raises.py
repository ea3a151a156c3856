"""New code that raises for every record puts nothing aside: the herd waits, and goes on by itself with the fix."""

from confluent_kafka import Producer

from kherd.testing import ledger
from kherd.testing.plugin import NewHerd, NewTopic
from kherd.testing.producing import FLUSH, RELIABLE
from kherd.testing.reading import read
from kherd.testing.rescale import kherd
from kherd.testing.scenes import wait_settled
from kherd.testing.story import PRELUDE, tables, wait_committed
from kherd.testing.topics import Cluster

WORKERS, PARTITIONS, EACH = 2, 8, 40
ERRORS = {"backoff_initial": 0.05, "backoff_max": 0.3, "max_attempts": 3}
GOOD = f"""{PRELUDE}
def handle(message):
    LEDGER.write(message)
"""
BAD = f"""{PRELUDE}
def handle(message):
    parse(message)
    LEDGER.write(message)

def parse(message):
    return message.value()["order"]
"""


def test_a_deploy(kafka: Cluster, topic: NewTopic, herd: NewHerd) -> None:
    # Given a herd that works, and a new version of its handler that is wrong for every record
    name = topic(PARTITIONS)
    one = herd(tables(kafka, name, workers={"count": WORKERS}, errors=ERRORS), GOOD)
    wait_settled(one, WORKERS, PARTITIONS)
    feed(kafka, name)
    wait_committed(kafka, one, name, dict.fromkeys(range(PARTITIONS), EACH))

    # When it is deployed, which its canary stands, for there is nothing to do at that time, and records come
    one.write_handler(BAD)
    assert kherd(one, "restart").returncode == 0
    feed(kafka, name)

    # Then that is taken for an outage, which outlasts all attempts, and says what to do
    event = one.wait_event("outage_assumed")
    assert "TypeError" in event["error"]
    tried = one.status()["totals"]["calls"]
    one.wait_status(lambda status: status["totals"]["calls"] >= tried + 6)
    failing = {"outages": 1, "waiting": PARTITIONS, "held": 0}
    status = one.wait_status(
        lambda status: status["failing"] == failing and status["lag"]["total"] == PARTITIONS * EACH
    )
    assert status["totals"]["dead_lettered"] == 0
    assert any("taken for an outage" in problem and "TypeError" in problem for problem in status["problems"])
    assert "taken for an outage" in kherd(one, "status").stdout.replace("\n", " ")

    # When the fix is deployed, then everything is handled, and nothing is left of it
    one.write_handler(GOOD)
    assert kherd(one, "restart").returncode == 0
    wait_committed(kafka, one, name, dict.fromkeys(range(PARTITIONS), 2 * EACH))
    one.wait_status(lambda status: status["failing"]["waiting"] == 0)
    one.stop()
    found = ledger.read(one.ledger)
    assert len(found) == 2 * PARTITIONS * EACH
    assert found.duplicates() == {}
    assert found.disorder() == []
    assert read(kafka, f"dlq.{name}") == []
    assert one.events("record_held") == []


def feed(kafka: Cluster, name: str) -> None:
    producer = Producer({**kafka.client_properties(), **RELIABLE})
    for value in range(EACH):
        for number in range(PARTITIONS):
            producer.produce(name, b"%d" % value, partition=number)
    assert producer.flush(FLUSH) == 0
