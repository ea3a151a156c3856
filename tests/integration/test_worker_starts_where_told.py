"""kafka.start decides where a group without offsets begins; a position that is gone is told with the gap's size."""

from ctypes import c_char_p, c_int32, c_int64, c_void_p
from pathlib import Path

import pytest

from kherd.supervisor.children.broker.mock import MockCluster
from kherd.worker.exits import WorkerExit

from ..fakes.scene import Scene, scene

LIST_OFFSETS, OFFSET_FETCH = 2, 9
GROUP_AUTHORIZATION_FAILED = 30
NOTE = "def handle(message): note(message)"


def test_latest_leaves_out_what_was_there_before(stage: Scene) -> None:
    stage.topic(1)
    stage.feed(10)
    stage.handler(NOTE)
    worker = stage.worker(kafka={"start": "latest"})
    worker.until(lambda: stage.feed(1) is None and len(stage.did()) > 0, "handled")  # until its position is known
    assert min(stage.did()) >= (0, 10)
    assert worker.stop() == 0


def test_error_refuses_to_guess(stage: Scene) -> None:
    stage.topic(1)
    stage.feed(10)
    stage.handler(NOTE)
    worker = stage.boot(kafka={"start": "error"})
    worker.expect("booted")
    worker.channel.send({"type": "go"})
    assert worker.wait() == WorkerExit.PERMANENT
    assert worker.said("failed")
    assert "nowhere to start" in worker.messages[-1]["reason"]
    assert stage.ledger == []


def test_error_goes_on_from_a_committed_offset(stage: Scene) -> None:
    stage.topic(1)
    stage.feed(10)
    stage.handler(NOTE)
    worker = stage.worker()
    worker.until(lambda: len(stage.did()) == 10, "handled")
    assert worker.stop() == 0
    stage.feed(1)
    worker = stage.worker(incarnation=2, kafka={"start": "error"})
    worker.until(lambda: len(stage.did()) == 11, "handled")
    assert worker.stop() == 0


def test_records_that_are_gone_are_counted(tmp_path: Path) -> None:
    with MockCluster() as cluster, scene(tmp_path, cluster, "orders") as stage:  # type: ignore[arg-type]
        stage.topic(1)
        stage.feed(10)
        stage.handler(NOTE)
        worker = stage.worker()
        worker.until(lambda: len(stage.did()) == 10, "handled")
        assert worker.stop() == 0
        stage.feed(20)
        remove_below(cluster, "orders", 0, 25)
        worker = stage.worker(incarnation=2)
        worker.until(lambda: len(stage.did()) == 15, "handled")
        assert worker.logged("offset_out_of_range") == 1
        assert '"gap": 15, "offset": 25' in worker.lines
        assert worker.stop() == 0


@pytest.mark.parametrize(
    ("question", "times", "event"),
    [(LIST_OFFSETS, 2, "start_unknown"), (OFFSET_FETCH, 1, "commit_unknown")],
    ids=["ends", "commits"],
)
def test_latest_begins_though_its_start_cannot_be_looked_up_at_once(
    tmp_path: Path, question: int, times: int, event: str
) -> None:
    with MockCluster() as cluster, scene(tmp_path, cluster, "orders") as stage:  # type: ignore[arg-type]
        stage.topic(1)
        stage.feed(3)
        stage.handler(NOTE)
        cluster.push_errors(question, [GROUP_AUTHORIZATION_FAILED] * times)
        worker = stage.worker(kafka={"start": "latest"})
        worker.until(lambda: worker.logged(event) == 1, "its start is not known")
        worker.until(lambda: stage.committed == {0: 3}, "it is found all the same")
        stage.feed(2)
        worker.until(lambda: stage.did() == [(0, 3), (0, 4)], "handled")
        assert worker.stop() == 0


def remove_below(cluster: MockCluster, topic: str, partition: int, offset: int) -> None:
    function = cluster._library.rd_kafka_mock_partition_delete_records
    function.argtypes = [c_void_p, c_char_p, c_int32, c_int64]
    assert function(cluster._open(), topic.encode(), partition, offset) == 0
