"""A graceful stop with 64 calls under way finishes them, and the next run is delivered nothing that is done."""

import pytest

from kherd.testing.handovers import wait_identified
from kherd.testing.keyed import SOURCES, by_key, calls, disorder, ends, key, overlaps, width, workers
from kherd.testing.ledger import read
from kherd.testing.plugin import NewHerd, NewTopic
from kherd.testing.producing import fill
from kherd.testing.scenes import config, wait_settled
from kherd.testing.topics import Cluster
from kherd.testing.wait import until

PARTITIONS, RECORDS = 4, 2_000


@pytest.mark.parametrize("kind", ["threads", "coroutines"])
def test_a_rerun_handles_nothing_again(kafka: Cluster, herd: NewHerd, topic: NewTopic, kind: str) -> None:
    # Given a worker in the middle of a backlog
    name = topic(PARTITIONS)
    one = herd(config(kafka, name, 1, workers=workers(1)), SOURCES[kind])
    wait_settled(one, 1, PARTITIONS)
    wait_identified(one, PARTITIONS)
    fill(kafka.client_properties(), name, RECORDS, partitions=PARTITIONS, key=key)
    produced = {number: range(end) for number, end in kafka.ends(name).items()}
    until(lambda: len(read(one.ledger)) > RECORDS // 4, 30, "work to be under way")

    # When it is stopped, then all that was begun is done
    one.stop()
    first = read(one.ledger)
    assert calls(first).records == ends(first).records
    assert len(ends(first)) < RECORDS
    assert width(first) > 32

    # and the next run does the rest
    one.start()
    until(lambda: not ends(read(one.ledger)).missing(name, produced), 60, "all handled")
    one.stop()
    handled = read(one.ledger)
    assert calls(handled).duplicates() == {}
    assert disorder(handled, by_key) == []
    assert overlaps(handled, by_key) == []
