"""While what the handler needs is away, exactly the poison is dead-lettered, and then everything else is handled."""

from typing import Any

from confluent_kafka import Producer

from kherd.testing import ledger
from kherd.testing.database import CLIENT, Database
from kherd.testing.herd import Herd
from kherd.testing.plugin import NewHerd, NewTopic
from kherd.testing.producing import FLUSH, RELIABLE
from kherd.testing.reading import headers, read
from kherd.testing.results import count, report
from kherd.testing.scenes import wait_settled
from kherd.testing.story import PRELUDE, committed, tables
from kherd.testing.topics import Cluster

WORKERS, PARTITIONS = 4, 16
RECORDS = count(20_000, 2_000)
AWAY = count(30, 3)
"""Seconds, many times what the attempts at one record take."""
ERRORS = {"backoff_initial": 0.05, "backoff_max": 0.4, "max_attempts": 4}
HANDLER = f"""{PRELUDE}{CLIENT}
def handle(message):
    if message.value().startswith(b"refused"):
        raise ProcessingError("no order")
    if message.value().startswith(b"bug"):
        raise KeyError(message.value().decode())
    save(PORT)
    LEDGER.write(message)
"""


def value(number: int) -> bytes:
    """One record in a hundred is poison: every other one of a plain exception."""
    if number % 100 != 57:
        return b"order %d" % number
    return b"refused %d" % number if number // 100 % 2 else b"bug %d" % number


def test_poison_and_outage(kafka: Cluster, topic: NewTopic, herd: NewHerd) -> None:
    # Given four workers and a database, a stream of orders, and poison among them
    name = topic(PARTITIONS)
    with Database() as database:
        config = tables(kafka, name, workers={"count": WORKERS}, errors=ERRORS)
        one = herd(config, HANDLER.replace("PORT", str(database.port)))
        wait_settled(one, WORKERS, PARTITIONS)
        half = RECORDS // 2
        feed(kafka, name, range(half))
        one.wait_status(lambda status: status["totals"]["handled"] >= half // 4)

        # When the database goes away in the middle of it
        database.go_away()
        one.wait_event("outage_assumed")
        feed(kafka, name, range(half, RECORDS))
        before = one.status()
        one.wait_status(lambda status: status["uptime"] >= before["uptime"] + AWAY, seconds=AWAY + 30)

        # Then it is told what is waited for, and nobody works
        status = one.status()
        [outage] = status["failures"]["outages"]
        assert "ConnectionRefusedError" in outage["error"]
        assert any("taken for an outage" in problem for problem in status["problems"])
        assert status["totals"]["handled"] == before["totals"]["handled"]

        # When it is there again, then all goes on
        database.come_back()
        one.wait_event("outage_over")
        one.wait_status(lambda status: settled(status) == {"lag": 0, "dead": RECORDS // 100}, seconds=count(240, 60))
        one.wait_status(lambda status: sum(committed(kafka, one, name).values()) == RECORDS)
        one.stop()

    # and exactly the poison is put aside, everything else handled, once
    letters = read(kafka, f"dlq.{name}")
    poison = {value(number) for number in range(RECORDS) if not value(number).startswith(b"order")}
    assert sorted(str(letter.value()) for letter in letters) == sorted(map(str, poison))
    found = ledger.read(one.ledger)
    assert len(found) == RECORDS - len(poison)
    assert found.duplicates() == {}
    said = {letter.value(): dict(headers(letter)) for letter in letters}
    for content, told in said.items():
        exhausted = bytes(content or b"").startswith(b"bug")
        assert told["kherd.disposition"] == (b"retries_exhausted" if exhausted else b"handler_rejected")
        assert int(told["__dlq.errors.delivery.count"] or 0) >= (ERRORS["max_attempts"] if exhausted else 1)
    assert one.events("record_held") == []
    report("poison_and_outage_mixed", numbers(one, outage))


def feed(cluster: Cluster, name: str, numbers: range) -> None:
    producer = Producer({**cluster.client_properties(), **RELIABLE})
    for number in numbers:
        producer.produce(name, value(number), b"%d" % number, number * 7 // 3 % PARTITIONS)
    assert producer.flush(FLUSH) == 0


def settled(status: dict[str, Any]) -> dict[str, Any]:
    return {"lag": status["lag"]["total"], "dead": status["totals"]["dead_lettered"]}


def numbers(one: Herd, outage: dict[str, Any]) -> dict[str, Any]:
    return {
        "records": RECORDS,
        "seconds_away": AWAY,
        "outages_assumed": len(one.events("outage_assumed")),
        "records_waited": outage["records"],
        "probes": outage["probes"],
    }
