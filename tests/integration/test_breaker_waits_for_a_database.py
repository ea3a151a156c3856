"""A database that is away costs no dead letter, no attempt and no rebalance; one probe at a time finds it back."""

import pytest

from kherd.testing.database import CLIENT, Database
from kherd.testing.herd import Herd
from kherd.testing.ledger import Handled
from kherd.testing.plugin import NewHerd, NewTopic
from kherd.testing.producing import fill
from kherd.testing.results import count, report
from kherd.testing.scenes import standings, wait_handled, wait_settled
from kherd.testing.story import PRELUDE, tables, wait_committed
from kherd.testing.topics import Cluster
from kherd.worker import clock

pytestmark = pytest.mark.alone

WORKERS, PARTITIONS, EACH = 4, 8, 20
THRESHOLD, TIMEOUT = 5, 0.5
GONE, SICK = count(20, 1), count(10, 2)
"""Seconds for which the database refuses connections, and then takes them and hangs up."""
GOES_ON = 0.2
"""Seconds after the breaker is closed within which every partition goes on, as promised."""
NOISE = 0.2
"""Seconds that two cores may take to run four workers and a database at once."""


def handler(port: int) -> str:
    return f"""{PRELUDE}{CLIENT}
from kherd import CircuitBreaker
db = CircuitBreaker("db", failure_threshold={THRESHOLD}, timeout={TIMEOUT})

def handle(message):
    try:
        db.call(save, {port})
    except Exception as error:
        raise RuntimeError("cannot save") from error  # whatever a framework makes of it
    LEDGER.write(message, note=str(context().attempt))
"""


def test_nothing_is_lost_and_nobody_storms_it(kafka: Cluster, herd: NewHerd, topic: NewTopic) -> None:
    with Database(seconds=0.02) as database:
        # Given four workers that save each record in a database
        name = topic(PARTITIONS)
        one = herd(tables(kafka, name, workers={"count": WORKERS}), handler(database.port))
        before = standings(wait_settled(one, WORKERS, PARTITIONS))
        fill(kafka.client_properties(), name, PARTITIONS * EACH, partitions=PARTITIONS)
        wait_committed(kafka, one, name, dict.fromkeys(range(PARTITIONS), EACH))

        # When it is gone, then every partition waits, the lag is true, and the status says why
        database.go_away()
        fill(kafka.client_properties(), name, PARTITIONS * EACH, partitions=PARTITIONS)
        wait_waiting(one)
        clock.sleep(GONE)

        # and while it takes connections and hangs up, it sees one at a time, and no more than one in each timeout
        sick = clock.monotonic()
        database.fall_sick()
        clock.sleep(SICK)
        assert 1 <= sum(visit.since >= sick for visit in database.visits) <= SICK / TIMEOUT + 1
        assert database.busiest(since=sick) == 1

        # When it is back, then every record is handled, once, in order, by the same members
        database.come_back()
        handled = wait_handled(one, name, dict.fromkeys(range(PARTITIONS), range(2 * EACH)))
        wait_committed(kafka, one, name, dict.fromkeys(range(PARTITIONS), 2 * EACH))
        assert (handled.duplicates(), handled.disorder()) == ({}, [])
        late = spread(handled, name)
        report("breaker_waits_for_a_database", {"outage": GONE + SICK, "last_partition_after": round(late, 4)})
        assert late < GOES_ON + NOISE
        check(one, before, kafka.ends(f"dlq.{name}"))
        one.stop()


def wait_waiting(one: Herd) -> None:
    status = one.wait_status(
        lambda status: status["totals"]["paused"] == PARTITIONS and status["lag"]["total"] == PARTITIONS * EACH,
        what="all partitions to wait",
    )
    (shown,) = status["breakers"]
    assert (shown["name"], shown["trips"]) == ("db", 1)
    assert any("the circuit breaker db is" in problem for problem in status["problems"])


def spread(handled: Handled, topic: str) -> float:
    """Return the seconds from the first partition that goes on, which is the probe's, to the last."""
    firsts = [min(entry.at for entry in handled.at(topic, n) if entry.offset >= EACH) for n in range(PARTITIONS)]
    return max(firsts) - min(firsts)


def check(one: Herd, before: object, letters: dict[int, int]) -> None:
    status = one.wait_status(lambda status: status["breakers"][0]["state"] == "closed")
    assert standings(status) == before
    totals = status["totals"]
    assert totals["dead_lettered"] == sum(letters.values()) == 0
    assert totals["failed"] < THRESHOLD  # the one that opened the breaker, and all after it, are none
    assert totals["outages"] >= PARTITIONS
    assert one.wait_event("breaker_closed", breaker="db")["seconds"] >= GONE + SICK
    assert len(one.events("breaker_half_open")) >= 2
    # Who failed before the breaker opened may wait for the end of that kind of failure first, and says so too.
    assert len(one.events("record_waits")) < PARTITIONS + THRESHOLD
