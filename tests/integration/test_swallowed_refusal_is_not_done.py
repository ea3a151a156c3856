"""A record whose handler was refused a call and returned all the same is not done, unless the breaker allows for it."""

import pytest

from kherd.testing.ledger import read
from kherd.testing.plugin import NewHerd, NewTopic
from kherd.testing.story import PRELUDE, handled, put, switch, tables, wait_committed
from kherd.testing.topics import Cluster

HANDLER = f"""{PRELUDE}
from kherd import BreakerOpen, CircuitBreaker
db = CircuitBreaker("db", failure_threshold=1, timeout=0.5)
cache = CircuitBreaker("cache", failure_threshold=1, timeout=1000, fallback_ok=True)

def look_up():
    raise ConnectionError("the cache is away, and stays so")

def save():
    if not SWITCH.on:
        raise ConnectionError("the database is away")

def careless(message):
    try:
        cache.call(look_up)
    except (BreakerOpen, ConnectionError):
        pass  # looked up elsewhere
    try:
        db.call(save)
    except BreakerOpen:
        return  # somebody has meant well
    LEDGER.write(message, note=str(context().attempt))

def handle(message):
    careless(message)

def handle_batch(messages):
    for message in messages:
        careless(message)
"""


@pytest.mark.parametrize("handler", ["handle", "handle_batch"])
def test_it_waits(kafka: Cluster, topic: NewTopic, herd: NewHerd, handler: str) -> None:
    # Given records on two partitions, a database that is away, and a handler that says nothing of it
    name = topic(2)
    for partition in range(2):
        put(kafka, name, b"0", b"1", b"2", partition=partition)
    workers = {"count": 1, "mode": "batch" if handler == "handle_batch" else "record"}
    config = tables(kafka, name, workers=workers, app={"handler": f"handlers:{handler}"})

    # When they are handled, then they wait, nothing is committed, and no call failed
    one = herd(config, HANDLER)
    one.wait_event("breaker_half_open", breaker="db", count=2)
    status = one.wait_status(lambda status: status["totals"]["paused"] == 2 and status["lag"]["total"] == 6)
    assert status["totals"]["failed"] == 0
    assert status["totals"]["outages"] >= 2
    assert len(read(one.ledger)) == 0
    assert {one["state"] for one in status["breakers"]} <= {"open", "half_open"}

    # When it is back, then each is done once, at its first attempt
    switch(one).turn_on()
    ledger = handled(one, 6)
    wait_committed(kafka, one, name, {0: 3, 1: 3})
    one.wait_status(lambda status: status["lag"]["total"] == 0)
    one.stop()
    assert (ledger.duplicates(), ledger.disorder()) == ({}, [])
    assert {entry.note for partition in range(2) for entry in ledger.at(name, partition)} == {"1"}
