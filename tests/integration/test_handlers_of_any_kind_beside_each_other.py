"""Whatever a handler is or does to its process, calls beside each other go on, and it is closed where it was built."""

from ..fakes.scene import Scene

ALL = [(0, offset) for offset in range(60)]
RETURNS_A_COROUTINE = """
import asyncio, functools
loops = set()
async def work(message):
    loops.add(asyncio.get_running_loop())
    await asyncio.sleep(0.002)
    assert len(loops) == 1
    note(message)

def handle(message):
    return work(message)
"""
CLASS = """
import asyncio, threading
class Handler:
    def __init__(self):
        self.loop = asyncio.get_running_loop()
        self.background = self.loop.create_task(self.tick())
        self.ticks = 0
    async def tick(self):
        while True:
            await asyncio.sleep(0.001)
            self.ticks += 1
    async def handle(self, message):
        assert asyncio.get_running_loop() is self.loop
        await asyncio.sleep(0.005)
        note(message)
    async def close(self):
        assert asyncio.get_running_loop() is self.loop
        assert self.ticks
        self.background.cancel()
        (_here / "closed").touch()
"""
FORKS = """
def handle(message):
    if message.offset() == 5:
        os.fork()
    time.sleep(0.002)
    note(message)
"""
ENDS_THE_LOOP = """
import asyncio
async def end():
    raise SystemExit(3)
async def handle(message):
    if message.offset() == 5 and context().attempt == 1:
        await asyncio.get_running_loop().create_task(end())
    await asyncio.sleep(0.002)
    note(message)
"""


def play(stage: Scene, source: str, attribute: str = "handle") -> str:
    """Handle 60 records, 16 calls at a time; return the worker's log."""
    stage.topic(1)
    stage.feed(60)
    stage.handler(source, attribute)
    worker = stage.worker(concurrency=16, order="none")
    worker.until(lambda: set(worker.partitions.values()) == {(60, 60)}, "all done")
    assert worker.stop() == 0
    return worker.lines


def test_a_function_that_returns_a_coroutine_has_it_run_on_one_loop(stage: Scene) -> None:
    play(stage, RETURNS_A_COROUTINE)
    assert sorted(stage.did()) == ALL


def test_the_class_of_a_coroutine_is_built_and_closed_on_the_loop_of_its_calls(stage: Scene) -> None:
    lines = play(stage, CLASS, "Handler")
    assert sorted(stage.did()) == ALL
    assert (stage.folder / "closed").exists()
    assert "handler_close_failed" not in lines


def test_a_fork_that_returns_ends_and_the_calls_beside_it_go_on(stage: Scene) -> None:
    lines = play(stage, FORKS)
    assert set(stage.did()) == set(ALL)
    assert lines.count('"event": "handler_forked"') == 1
    assert "internal_error" not in lines


def test_a_task_of_the_handlers_that_exits_is_the_failure_of_its_record(stage: Scene) -> None:
    lines = play(stage, ENDS_THE_LOOP)
    assert sorted(stage.did()) == ALL
    assert lines.count('"event": "record_retried"') == 1
