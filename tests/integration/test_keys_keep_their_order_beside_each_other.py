"""64 calls beside each other, of random length, and kill -9 in the middle: no key is reordered, and delivered again is
at most what was in flight.
"""

import os
import signal

import pytest

from kherd.testing.handovers import wait_identified
from kherd.testing.keyed import SOURCES, by_key, calls, disorder, ends, key, overlaps, width, workers
from kherd.testing.ledger import read
from kherd.testing.plugin import NewHerd, NewTopic
from kherd.testing.producing import fill
from kherd.testing.results import count, report
from kherd.testing.scenes import config, wait_handled, wait_settled
from kherd.testing.topics import Cluster
from kherd.testing.wait import until

WORKERS, PARTITIONS, CONCURRENCY = 2, 4, 64
SELDOM = {"commit_interval": 5}
"""Without the board and what commits say, seconds' worth of records would be delivered again."""


@pytest.mark.parametrize("kind", ["threads", "coroutines"])
def test_keys(kafka: Cluster, herd: NewHerd, topic: NewTopic, kind: str) -> None:
    # Given two workers with 64 calls each, and records of 40 keys, a third of them of one key
    name, kills, records = topic(PARTITIONS), count(20, 2), count(40_000, 2_000)
    soon = {"consumer": {"heartbeat.interval.ms": 300}}
    tables = config(kafka, name, WORKERS, kafka=soon, workers=workers(WORKERS, CONCURRENCY), delivery=SELDOM)
    one = herd(tables, SOURCES[kind])
    wait_settled(one, WORKERS, PARTITIONS)
    wait_identified(one, PARTITIONS)
    fill(kafka.client_properties(), name, records, partitions=PARTITIONS, key=key)
    produced = {number: range(end) for number, end in kafka.ends(name).items()}

    # When workers are killed in the middle of it
    for number in range(kills):
        share = records * (number + 1) // (kills + 1)
        until(lambda share=share: len(ends(read(one.ledger)).records) >= share, 60, f"{share} handled")  # type: ignore[misc]
        slot, pid = sorted(one.worker_pids().items())[number % WORKERS]
        os.kill(pid, signal.SIGKILL)
        one.wait_status(lambda _, slot=slot, pid=pid: one.worker_pids().get(slot) not in {None, pid})  # type: ignore[misc]

    # Then all is handled, each key in order and one record of it at a time, and only what was in flight twice
    until(lambda: not ends(read(one.ledger)).missing(name, produced), 60, "all handled")
    wait_handled(one, name, produced)
    handled = read(one.ledger)
    again = sum(calls(handled).duplicates(name).values()) - len(calls(handled).duplicates(name))
    report(
        f"keyed_{kind}",
        {"kills": kills, "records": records, "delivered_again": again, "beside_each_other": width(handled)},
    )
    assert disorder(handled, by_key) == []
    assert overlaps(handled, by_key) == []
    assert again <= kills * CONCURRENCY
    assert width(handled) > CONCURRENCY // 2
    one.stop()
