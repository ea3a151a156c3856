"""A worker handles every record once and commits all of it; one that starts after a stop is delivered nothing again."""

import pytest

from ..fakes.scene import Scene
from .conftest import EVERYWHERE

HANDLERS = {
    "record": "def handle(message): note(message)",
    "batch": "def handle(messages):\n    for message in messages: note(message)",
}


@pytest.mark.parametrize("mode", HANDLERS)
@pytest.mark.parametrize("place", EVERYWHERE)
def test_everything_is_done_once_and_committed(stage: Scene, mode: str) -> None:
    # Given a topic with records
    stage.topic(4)
    stage.feed(1000)
    stage.handler(HANDLERS[mode])

    # When a worker has handled them
    worker = stage.worker(mode=mode)
    worker.until(lambda: worker.counters["handled"] == 1000, "all handled")

    # Then all is committed without being asked, with the assignment's nonce
    worker.until(lambda: set(worker.partitions.values()) == {(250, 250)}, "all committed")
    assert stage.committed == dict.fromkeys(range(4), 250)
    metadata = {at.metadata for at in stage.commits()}
    assert len(metadata) == 4
    assert all((text or "").startswith("kherd1;nonce=") for text in metadata)
    assert sorted(stage.did()) == [(number, offset) for number in range(4) for offset in range(250)]

    # When it is stopped and another one starts
    assert worker.stop() == 0
    stage.feed(4)
    other = stage.worker(incarnation=2, mode=mode)
    other.until(lambda: other.counters["handled"] == 4, "the new ones handled")

    # Then that one got only what is new
    assert other.stop() == 0
    assert len(stage.did()) == len(set(stage.did())) == 1004
    assert stage.committed == dict.fromkeys(range(4), 251)


@pytest.mark.parametrize("mode", HANDLERS)
def test_a_stop_commits_what_was_done_just_before(stage: Scene, mode: str) -> None:
    # Given a worker that has just committed and would do so again in an hour
    stage.topic(4)
    stage.feed(1, at=0)
    stage.handler(HANDLERS[mode])
    worker = stage.worker(mode=mode, commit_interval=3600.0)
    worker.until(lambda: worker.counters["commits"] == 1, "the first commit")
    stage.feed(400)
    worker.until(lambda: worker.counters["handled"] == 401, "all handled")
    assert stage.committed == {0: 1}

    # When it is stopped, then all is committed
    assert worker.stop() == 0
    assert stage.committed == {0: 101, 1: 100, 2: 100, 3: 100}
    assert '"uncommitted": 0' in worker.lines


def test_with_an_interval_of_zero_each_record_is_committed_as_soon_as_the_last_commit_is_answered(stage: Scene) -> None:
    stage.topic(1)
    stage.feed(50)
    stage.handler("def handle(message):\n    time.sleep(0.002)\n    note(message)")
    worker = stage.worker(commit_interval=0.0)
    worker.until(lambda: set(worker.partitions.values()) == {(50, 50)}, "all committed")
    assert worker.counters["commits"] > 5
    assert worker.stop() == 0
