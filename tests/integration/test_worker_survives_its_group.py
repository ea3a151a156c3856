"""What the group does to a member: an instance id still held, fencing, refused and unanswered commits."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import KafkaError

from kherd.supervisor.children.broker.mock import MockCluster
from kherd.worker.exits import WorkerExit

from ..fakes.scene import Scene, scene

pytestmark = pytest.mark.alone

HEARTBEAT, OFFSET_COMMIT = 68, 8
NOTE = "def handle(message): note(message)"
STATIC: Any = {"instance": "host-1", "kafka": {"static_membership": True}}


@pytest.fixture
def cluster() -> Iterator[MockCluster]:
    with MockCluster() as made:
        yield made


@pytest.fixture
def mocked(cluster: MockCluster, tmp_path: Path) -> Iterator[Scene]:
    with scene(tmp_path, cluster, "orders") as made:  # type: ignore[arg-type]
        made.topic(1)
        made.feed(10)
        made.handler(NOTE)
        yield made


def test_an_instance_id_that_is_still_held_is_waited_for_in_the_same_process(
    mocked: Scene, cluster: MockCluster
) -> None:
    cluster.push_errors(HEARTBEAT, [KafkaError.UNRELEASED_INSTANCE_ID])
    worker = mocked.boot(**STATIC)
    worker.expect("booted")
    worker.channel.send({"type": "go"})
    worker.expect("unreleased")
    worker.channel.send({"type": "go"})
    worker.expect("ready")
    worker.until(lambda: set(worker.partitions.values()) == {(10, 10)}, "all done")
    assert worker.stop() == 0


def test_a_fenced_worker_says_so_and_ends(mocked: Scene, cluster: MockCluster) -> None:
    worker = mocked.worker(**STATIC)
    worker.until(lambda: set(worker.partitions.values()) == {(10, 10)}, "all done")
    cluster.push_errors(HEARTBEAT, [KafkaError.FENCED_INSTANCE_ID])
    assert worker.wait() == WorkerExit.TEMPORARY
    assert worker.logged("fenced") == 1
    assert worker.said("failed")


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (KafkaError.REBALANCE_IN_PROGRESS, 0),  # nothing to mend: the next one carries the offsets
        (KafkaError.GROUP_AUTHORIZATION_FAILED, 1),
    ],
)
def test_a_refused_commit_is_made_again(mocked: Scene, cluster: MockCluster, error: int, told: int) -> None:
    cluster.push_errors(OFFSET_COMMIT, [error] * 3)
    worker = mocked.worker()
    worker.until(lambda: set(worker.partitions.values()) == {(10, 10)}, "all done")
    assert worker.counters["commit_failures"] > 0
    assert worker.logged("commit_failed") == told
    assert worker.stop() == 0


def test_an_unanswered_commit_is_told_once_and_a_stop_does_not_wait_for_it_beyond_its_deadline(
    mocked: Scene, cluster: MockCluster
) -> None:
    # Given a broker that answers half a minute late, from the time on that a record is in hand
    mocked.handler("def handle(message):\n    note(message)\n    while not switch('done'): time.sleep(0.005)")
    worker = mocked.worker(stop_timeout=2.0)
    worker.until(lambda: len(mocked.did()) == 1, "in hand")
    cluster.set_delay(30.0)
    mocked.switch("done")

    # When its commit stays unanswered, then that is told, once
    worker.until(lambda: worker.logged("commit_stuck") == 1, "told")
    worker.until(lambda: worker.counters["handled"] == 10, "all handled")

    # When it is told to stop, then it gives up in time
    began = time.monotonic()
    assert worker.stop() == 0
    assert time.monotonic() - began < 2.5
    assert worker.logged("commit_stuck") == 1
    assert '"uncommitted": 10' in worker.lines


def test_a_member_that_was_thrown_out_joins_again_and_loses_nothing(mocked: Scene, cluster: MockCluster) -> None:
    worker = mocked.worker()
    worker.until(lambda: set(worker.partitions.values()) == {(10, 10)}, "all done")
    cluster.push_errors(HEARTBEAT, [KafkaError.UNKNOWN_MEMBER_ID])
    worker.until(lambda: worker.logged("lost") == 1 and worker.logged("assigned") == 2, "lost and assigned again")
    mocked.feed(10)
    worker.until(lambda: set(worker.partitions.values()) == {(20, 20)}, "all done")
    assert len(mocked.did()) == len(set(mocked.did())) == 20
    assert worker.stop() == 0
