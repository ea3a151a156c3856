"""What is done above an unfinished record is not done again by the next owner, on a host that has no board of it."""

from kherd.testing import ledger
from kherd.testing.notes import RESULTS, lose, on_a_host, wait_noted
from kherd.testing.plugin import NewHerd, NewTopic
from kherd.testing.story import put, switch, wait_committed
from kherd.testing.topics import Cluster

BATCH = {"count": 1, "mode": "batch"}
SLOW = {"backoff_initial": 30, "backoff_max": 30}


def test_a_lost_host(kafka: Cluster, topic: NewTopic, herd: NewHerd) -> None:
    # Given a herd that has done 28 of 30 records, but neither the fourth nor the eleventh, and says so in its commit
    name = topic(1)
    values = [b"bad" if number in {3, 10} else b"%d" % number for number in range(30)]
    put(kafka, name, *values)
    one = herd(on_a_host(kafka, name, "one", workers=BATCH, errors=SLOW), RESULTS)
    done = ((4, 10), (11, 30))
    known = wait_noted(kafka, one, name, lambda offset, known: (offset, known.done) == (3, done))
    assert {offset: state.failures for offset, state in known.attempts.items()} == {3: 1, 10: 1}

    # When its host is lost, and another one takes over, where the failing ones succeed
    lose(kafka, one)
    two = herd(on_a_host(kafka, name, "two", workers=BATCH, errors={"backoff_initial": 0.1}), RESULTS)
    switch(two).turn_on()
    put(kafka, name, b"30")

    # Then that handles these two and what is new, and everything is committed
    wait_committed(kafka, two, name, {0: 31})
    assert [entry.offset for entry in ledger.read(two.ledger).entries] == [3, 10, 30]
    assert two.wait_event("notes_taken_over")["count"] == 25
    two.stop()
    assert len(ledger.read(one.ledger)) == 30
