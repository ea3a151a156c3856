"""Records that together take far longer than max.poll.interval.ms cost no membership: none is lost or handled twice."""

from typing import Any

import pytest

from kherd.testing import ledger
from kherd.testing.plugin import NewHerd, NewTopic
from kherd.testing.story import PRELUDE, put, tables, wait_committed
from kherd.testing.topics import Cluster

# 300 s at least in real life: a constant of kherd's, which the handler's module lowers before its worker joins.
SHORT = f"""{PRELUDE}
from kherd.worker import properties
properties.MAX_POLL_LEAST = 2.0
"""
RECORD = f"""{SHORT}
def handle(message):
    LEDGER.write(message)
    time.sleep(0.15)
"""
BATCH = f"""{SHORT}
def handle(messages):
    if len(messages) > 1:
        raise ConnectionError("one at a time")
    LEDGER.write(*messages)
    time.sleep(0.15)
"""
COUNT = 45
SESSION = {"session.timeout.ms": 2000}
"""The client refuses a max.poll.interval.ms below it."""
CASES = [
    pytest.param(("record", RECORD, {"consumer": SESSION}), id="record by record"),
    pytest.param(("batch", BATCH, {"group_protocol": "consumer"}), id="a failed batch, record by record"),
]


@pytest.mark.parametrize("case", CASES)
def test_slow(kafka: Cluster, topic: NewTopic, herd: NewHerd, case: tuple[str, str, Any]) -> None:
    # Given records that are fetched at once and take 6.75 s, three times the interval
    mode, handler, client = case
    name = topic(1)
    put(kafka, name, *(b"%d" % n for n in range(COUNT)))
    config = tables(kafka, name, workers={"count": 1, "mode": mode, "handler_timeout": 1}, kafka=client)

    # When a herd handles them
    one = herd(config, handler)
    wait_committed(kafka, one, name, {0: COUNT})
    one.stop()

    # Then it stayed a member from the first to the last
    assert len(one.events("assigned")) == 1
    assert one.events("lost") == []
    assert one.events("client_error") == []
    assert one.events("commit_failed") == []
    record = ledger.read(one.ledger)
    assert record.duplicates() == {}
    assert record.missing(name, {0: range(COUNT)}) == set()
    times = [entry.at for entry in record.entries]
    assert times[-1] - times[0] > 3 * 2.0
