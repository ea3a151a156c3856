"""Two workers that hang on a database at once are no fault of their records: nothing is put aside, all is handled."""

from kherd.testing.killers import FIRST, settle
from kherd.testing.plugin import NewHerd, NewTopic
from kherd.testing.story import PRELUDE, put, switch, tables, wait_committed
from kherd.testing.topics import Cluster

HANGING = f"""{PRELUDE}
def ask_the_database():
    while not SWITCH.on:
        time.sleep(0.02)

def handle(message):
    LEDGER.write(message)
    if message.value() != {FIRST!r}:
        ask_the_database()
"""
ENOUGH = 2
"""Hangs that would put a record aside."""


def test_a_database_that_is_away(kafka: Cluster, topic: NewTopic, herd: NewHerd) -> None:
    # Given two workers whose handler hangs on a database that does not answer
    name = topic(2)
    workers = {"count": 2, "handler_timeout": 0.9}
    errors = {"max_crashes": ENOUGH}
    one = herd(tables(kafka, name, app={"instance": "here"}, workers=workers, errors=errors), HANGING)
    settle(kafka, one, name, 2, 2)
    put(kafka, name, b"0", b"1")
    put(kafka, name, b"0", b"1", partition=1)

    # When each has hung more often than a record may kill
    for slot in range(2):
        one.wait_event("child_died", child=f"worker {slot}", count=ENOUGH + 1, seconds=60.0)
    one.wait_event("hang_is_outage", count=2)

    # Then no record is blamed: when the database is back, all of them are handled
    switch(one).turn_on()
    wait_committed(kafka, one, name, {0: 3, 1: 3})
    one.wait_status(lambda status: not status["suspects"])
    status = one.status()
    assert (status["totals"]["dead_lettered"], status["totals"]["held"]) == (0, 0)
    one.stop()
    assert one.events("quarantined") == []
