"""Partitions move between workers without a record lost or done twice: what is done is committed before they go."""

from typing import Any

import pytest

from ..fakes.scene import Scene
from .conftest import EVERYWHERE


@pytest.mark.parametrize("place", EVERYWHERE)
def test_a_second_worker_takes_its_share_and_gives_it_back(stage: Scene) -> None:
    # Given a worker that would commit by itself only every hour, with all partitions
    stage.topic(4)
    stage.feed(400)
    stage.handler("def handle(message):\n    time.sleep(0.001)\n    note(message)")
    fields: Any = {"commit_interval": 3600.0, "kafka": {"consumer": {"heartbeat.interval.ms": "300"}}}
    if stage.protocol == "consumer":
        stage.cluster.time_group(stage.group, heartbeat=5.0)
        fields["kafka"] = {}
    first = stage.worker(0, **fields)
    first.until(lambda: first.counters["handled"] > 100, "some handled")

    # When another one joins, then each has a part
    second = stage.worker(1, **fields)
    second.until(lambda: len(second.partitions) == len(first.partitions) == 2, "shared")
    stage.feed(400)
    both = (first, second)
    first.until(lambda: sum(one.counters["handled"] for one in both) >= 800, "all handled")

    # When it leaves again, then the first one has them all
    assert second.stop() == 0
    first.until(lambda: len(first.partitions) == 4, "taken back")
    stage.feed(400)
    first.until(lambda: sum(one.counters["handled"] for one in both) >= 1200, "all handled")
    assert first.stop() == 0

    # Then every record was done, and, as all moves were orderly, only once
    assert sorted(stage.did()) == [(number, offset) for number in range(4) for offset in range(300)]
    assert stage.committed == dict.fromkeys(range(4), 300)


def test_a_record_that_waits_for_its_retry_goes_with_its_partition(stage: Scene) -> None:
    # Given a worker whose every partition is blocked
    stage.topic(4)
    stage.feed(40)
    stage.handler(
        "def handle(message):\n"
        "    if message.offset() == 5 and switch('down'): raise RuntimeError('down')\n"
        "    note(message)\n"
    )
    stage.switch("down")
    patient: Any = {"errors": {"backoff_initial": 0.3, "backoff_max": 0.3}}
    first = stage.worker(0, **patient)
    first.until(lambda: first.counters["paused"] == 4, "all blocked")

    # When a second one takes two of them, then nothing of those is left behind or done by the first
    second = stage.worker(1, **patient)
    second.until(lambda: second.counters["paused"] == first.counters["paused"] == 2, "shared, and blocked again")
    stage.switch("down", on=False)
    both = (first, second)
    first.until(lambda: all(set(one.partitions.values()) == {(10, 10)} for one in both), "all done")
    assert sorted(stage.did()) == [(number, offset) for number in range(4) for offset in range(10)]
    assert [one.stop() for one in both] == [0, 0]
