"""A record is put aside once its attempts are exhausted, if nothing says otherwise, and its partition goes on."""

from typing import Any

from kherd.testing import ledger
from kherd.testing.plugin import NewHerd, NewTopic
from kherd.testing.reading import headers, read
from kherd.testing.story import PRELUDE, put, tables, wait_committed
from kherd.testing.topics import Cluster

HANDLER = f"""{PRELUDE}
def handle(message):
    LEDGER.write(message)
    if message.value().startswith(b"bad"):
        raise KeyError(message.value().decode())
"""


def test_put_aside(kafka: Cluster, topic: NewTopic, herd: NewHerd) -> None:
    # Given two bad records, one behind the other, and three attempts for each
    name = topic(2)
    put(kafka, name, b"0", b"bad 1", b"bad 2", b"3")
    put(kafka, name, b"0", partition=1)
    errors = {"backoff_initial": 0.02, "backoff_max": 0.1, "max_attempts": 3}

    # When a herd consumes them
    one = herd(tables(kafka, name, workers={"count": 1}, errors=errors), HANDLER)
    wait_committed(kafka, one, name, {0: 4, 1: 1})
    settled = {"dead_letters": 2, "lag": 0, "paused": 0}
    one.wait_status(lambda status: _settling(status) == settled)
    one.wait_status(lambda status: status["failures"] == {"outages": [], "held": []})
    one.wait_status(lambda status: status["totals"]["diverted"] == 2)
    one.stop()

    # Then both are put aside after their attempts, saying so, and nothing else is touched: the second one not at once,
    # for one failure behind the other may be an outage, and it is tried again meanwhile
    letters = read(kafka, f"dlq.{name}")
    assert [letter.value() for letter in letters] == [b"bad 1", b"bad 2"]
    for letter in letters:
        said = dict(headers(letter))
        assert int(said["__dlq.errors.delivery.count"] or 0) >= 3
        assert said["__dlq.errors.exception.class.name"] == b"KeyError"
        assert said["kherd.disposition"] == b"retries_exhausted"
        assert (said["kherd.failure.first"] or b"") < (said["kherd.failure.last"] or b"")
    record = ledger.read(one.ledger)
    assert record.duplicates()[(name, 0, 1)] >= 3
    assert record.duplicates()[(name, 0, 2)] >= 3
    assert set(record.duplicates()) == {(name, 0, 1), (name, 0, 2)}
    assert record.disorder() == []
    assert one.events("record_held") == []


def _settling(status: dict[str, Any]) -> dict[str, Any]:
    return {
        "dead_letters": status["dead_letters"],
        "lag": status["lag"]["total"],
        "paused": status["totals"]["paused"],
    }
