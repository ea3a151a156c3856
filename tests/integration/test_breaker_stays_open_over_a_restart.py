"""An open breaker stays open over a restart, and over kill -9, of the whole herd, until one probe has succeeded."""

from dataclasses import replace

from kherd.testing.herd import Herd
from kherd.testing.ledger import read
from kherd.testing.plugin import NewHerd, NewTopic
from kherd.testing.scenes import config
from kherd.testing.story import PRELUDE, put, switch, wait_committed
from kherd.testing.topics import Cluster
from kherd.testing.wait import until
from kherd.worker.breakertable import FILE, Table

TIMEOUT = 900.0
HANDLER = f"""{PRELUDE}
from kherd import CircuitBreaker
db = CircuitBreaker("db", failure_threshold=1, timeout=1000)

def save(message):
    LEDGER.write(message, note="saved" if SWITCH.on else "failed")
    if not SWITCH.on:
        raise ConnectionError("the database is away")

def handle(message):
    db.call(save, message)
"""


def test_what_was_known_outlives_who_knew_it(kafka: Cluster, topic: NewTopic, herd: NewHerd) -> None:
    # Given a herd whose breaker has opened, for the time that the configuration says
    name = topic(1)
    put(kafka, name, b"0", b"1")
    one = herd(config(kafka, name, 1, lag={"interval": 0.2}, breaker={"db": {"timeout": TIMEOUT}}), HANDLER)
    opened = one.wait_event("breaker_opened", breaker="db")
    assert opened["seconds"] == TIMEOUT
    one.wait_event("record_waits")
    since = one.status()["breakers"][0]["open_for"]

    # When it is restarted, in order and by kill -9, then the worker that comes knows it without a call
    one.stop()
    one.start()
    one.wait_event("record_waits", count=2)
    one.kill()
    one.start()
    one.wait_event("record_waits", count=3)
    (shown,) = one.wait_status(lambda status: status["totals"]["paused"] == 1)["breakers"]
    assert (shown["state"], shown["trips"]) == ("open", 0)  # trips are of this supervisor's life
    assert shown["open_for"] > since
    assert len(read(one.ledger)) == 1

    # and when its time has come, one probe closes it
    switch(one).turn_on()
    let_time_pass(one)
    one.wait_event("breaker_closed")
    wait_committed(kafka, one, name, {0: 2})
    assert [entry.note for entry in read(one.ledger).at(name, 0)] == ["failed", "saved", "saved"]
    assert len(one.events("breaker_half_open")) == 1
    one.stop()


def let_time_pass(one: Herd) -> None:
    table = Table.open(one.state / FILE)
    slot = table.find("db")
    assert slot is not None
    until(slot.lock, 5, "the breaker's lock")
    known = slot.load()
    assert known is not None
    slot.store(replace(known, until=known.until - TIMEOUT))
    slot.unlock()
    table.close()
