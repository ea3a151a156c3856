"""A handler that forks and returns in both processes: the copy ends, nothing is done twice, the worker goes on."""

import os
from pathlib import Path

from kherd.testing.plugin import NewHerd, NewTopic
from kherd.testing.topics import Cluster

from ..fakes.madness import madness

FORK = """
import multiprocessing

def go_mad(message):
    os.fork()

def child(path):
    open(path, "w").close()
"""


def test_there_is_one_worker_all_the_time(kafka: Cluster, topic: NewTopic, herd: NewHerd) -> None:
    scene = madness(kafka, topic, herd, FORK)
    one, before = scene.herd, scene.pid(scene.mad)
    for _ in range(3):
        scene.put(b"mad", b"1", b"2")
        handled = scene.done()
    one.wait_event("handler_forked", count=3, worker=before)
    assert handled.duplicates() == {}
    assert {entry.pid for entry in handled.at(scene.topic, scene.mad)} == {before}
    assert scene.pid(scene.mad) == before
    assert one.events("internal_error") == []
    one.stop()
    assert one.events("child_killed") == []


def test_children_that_end_by_themselves_are_fine(
    kafka: Cluster, topic: NewTopic, herd: NewHerd, tmp_path: Path
) -> None:
    code = (
        FORK
        + f"""
def go_mad(message):
    started = multiprocessing.get_context("fork").Process(target=child, args=[{str(tmp_path / "made")!r}])
    started.start()
    started.join()
    assert started.exitcode == 0
    endless = multiprocessing.get_context("fork").Process(target=time.sleep, args=[3600])
    endless.start()
    endless.terminate()
    endless.join()
    assert endless.exitcode == -signal.SIGTERM
"""
    )
    scene = madness(kafka, topic, herd, code)
    scene.put(b"mad")
    scene.done()
    assert os.path.exists(tmp_path / "made")  # noqa: PTH110 - made by the child
    assert scene.herd.events("record_retried") == []
    assert scene.herd.events("handler_forked") == []
    scene.herd.stop()
