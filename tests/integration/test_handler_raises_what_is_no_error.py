"""KeyboardInterrupt, GeneratorExit, SystemExit, BaseException from a handler: exceptions like others, retried."""

import pytest

from kherd.testing.plugin import NewHerd, NewTopic
from kherd.testing.topics import Cluster

from ..fakes.madness import madness

HANDLER = """
class Own(BaseException): ...

RAISED = [KeyboardInterrupt(), GeneratorExit(), SystemExit(3), Own("own"), StopIteration(), StopAsyncIteration()]

def go_mad(message):
    if first_time(message):
        raise RAISED[message.offset() - 1]  # offset 0 is the scene's first record
"""
ASYNC = """
async def handle(message):
    LEDGER.write(message)
    if message.value() == b"mad":
        go_mad(message)
"""
NAMES = ["KeyboardInterrupt", "GeneratorExit", "SystemExit", "Own", "StopIteration", "StopAsyncIteration"]


@pytest.mark.parametrize("code", [HANDLER, HANDLER + ASYNC], ids=["function", "coroutine"])
def test_each_is_retried(kafka: Cluster, topic: NewTopic, herd: NewHerd, code: str) -> None:
    scene = madness(kafka, topic, herd, code)
    pid = scene.pid(scene.mad)
    scene.put(*(b"mad" for _ in NAMES), b"sane")
    handled = scene.done()
    assert handled.duplicates() == {(scene.topic, scene.mad, offset): 2 for offset in range(1, len(NAMES) + 1)}
    told = " ".join(event["error"] for event in scene.herd.events("record_retried"))
    assert all(name in told for name in NAMES)
    assert scene.pid(scene.mad) == pid
    assert scene.herd.events("child_died") == []
    scene.herd.stop()
