"""A herd of two on a real Kafka, one of which goes mad: the other, and every record, is watched."""

from dataclasses import dataclass, field
from typing import Any

from kherd.testing import ledger
from kherd.testing.herd import Document, Herd
from kherd.testing.plugin import NewHerd, NewTopic
from kherd.testing.scenes import Standing, standings
from kherd.testing.story import PRELUDE, put, shared, tables, wait_committed
from kherd.testing.topics import Cluster

FRAME = f"""{PRELUDE}
import signal, sys, threading

def first_time(message):
    try:
        open(f"{{LEDGER_PATH}}.{{message.partition()}}.{{message.offset()}}", "x").close()
    except FileExistsError:
        return False
    return True

def handle(message):
    LEDGER.write(message)
    if message.value() == b"mad":
        go_mad(message)
"""
"""`go_mad(message)` is the test's own."""


@dataclass
class Madness:
    """Partition `mad` is the mad worker's, `sane` the other's; `put` counts what each has got."""

    kafka: Cluster
    herd: Herd
    topic: str
    mad: int
    sane: int
    before: Document
    sent: dict[int, int] = field(default_factory=lambda: {0: 1, 1: 1})

    def put(self, *values: bytes) -> None:
        """Put `values` where the mad worker gets them, and as many records where the other does."""
        for partition, records in ((self.mad, values), (self.sane, tuple(b"sane" for _ in values))):
            put(self.kafka, self.topic, *records, partition=partition)
            self.sent[partition] += len(records)

    def done(self, seconds: float = 30.0) -> ledger.Handled:
        """Wait until all of it is committed; check that none is missing or out of order, nor the other disturbed."""
        wait_committed(self.kafka, self.herd, self.topic, {p: n for p, n in self.sent.items() if n}, seconds)
        handled = ledger.read(self.herd.ledger)
        assert handled.missing(self.topic, {p: range(n) for p, n in self.sent.items()}) == set()
        assert handled.disorder() == []
        assert self.standing(self.sane) == self._standing(self.before, self.sane), "the other worker noticed something"
        assert not any(record[1] == self.sane for record in handled.duplicates())
        return handled

    def standing(self, partition: int) -> Standing:
        """Return who has a partition now, and what would have changed if it were disturbed."""
        return self._standing(self.herd.wait_status(shared), partition)

    def pid(self, partition: int) -> int:
        """Return the pid of the worker that has a partition."""
        return self.standing(partition)[0]

    @staticmethod
    def _standing(document: Document, partition: int) -> Standing:
        (found,) = [one for one in standings(document).values() if partition in one[3]]
        return found


def madness(kafka: Cluster, topic: NewTopic, herd: NewHerd, code: str, **more: Any) -> Madness:
    """Return a herd of two, each with a partition, whose handler does `code`, which defines `go_mad(message)`."""
    name = topic(2)
    settings: dict[str, Any] = {
        "app": {"instance": "here"},
        "workers": {"count": 2},
        "restart": {"backoff_max": 0.2},
        "errors": {"backoff_initial": 0.05},
        **more.pop("tables", {}),
    }
    one = herd(tables(kafka, name, **settings), FRAME + code, **more)
    one.wait_status(shared)
    for partition in (0, 1):
        put(kafka, name, b"first", partition=partition)
    wait_committed(kafka, one, name, {0: 1, 1: 1})
    return Madness(kafka, one, name, 0, 1, one.wait_status(shared))
