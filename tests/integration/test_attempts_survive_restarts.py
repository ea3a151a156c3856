"""A record's attempts are counted on over kill -9, its worker's restart and a move to another host."""

import os
import signal
from typing import Any

from kherd.testing import ledger
from kherd.testing.notes import lose, on_a_host, wait_noted
from kherd.testing.plugin import NewHerd, NewTopic
from kherd.testing.reading import headers, read
from kherd.testing.story import PRELUDE, handled, put, wait_committed
from kherd.testing.topics import Cluster

HANDLER = f"""{PRELUDE}
def handle(message):
    LEDGER.write(message, note=str(context().attempt))
    if message.value() == b"bad":
        raise ConnectionError("the database is away")
"""
ERRORS: dict[str, Any] = {"max_attempts": 6, "backoff_initial": 0.7, "backoff_max": 0.7, "on_exhausted": "dead_letter"}


def test_attempts_go_on(kafka: Cluster, topic: NewTopic, herd: NewHerd) -> None:
    # Given a record that fails, between two that do not
    name = topic(1)
    put(kafka, name, b"0", b"bad", b"2")
    one = herd(on_a_host(kafka, name, "one", errors=ERRORS), HANDLER)

    def failed(times: int) -> None:
        handled(one, 1 + times)
        what = f"{times} attempts to be noted"
        wait_noted(kafka, one, name, lambda _, known: [s.failures for s in known.attempts.values()] == [times], what)

    # When its worker is killed, then replaced in order, then its host lost
    failed(1)
    os.kill(one.worker_pids()[0], signal.SIGKILL)
    failed(2)
    one.ask("restart")
    failed(3)
    lose(kafka, one)
    two = herd(on_a_host(kafka, name, "two", errors=ERRORS), HANDLER)

    # Then every attempt is the one after the one before, and with the sixth it may be put aside
    wait_committed(kafka, two, name, {0: 3})
    entries = ledger.read(one.ledger).entries + ledger.read(two.ledger).entries
    tries = [entry.note for entry in entries if entry.offset == 1]
    assert tries == [str(number) for number in range(1, len(tries) + 1)]
    assert len(tries) >= ERRORS["max_attempts"]  # it is tried on until the supervisor has answered
    (letter,) = read(kafka, f"dlq.{name}")
    assert dict(headers(letter))["__dlq.errors.delivery.count"] == tries[-1].encode()
    two.stop()
