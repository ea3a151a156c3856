"""How many records of one partition per second a worker handles whose handler waits 10 ms for something, at a time."""

import asyncio
import json
import time
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any, Final

from confluent_kafka import Message

from ..worker import clock
from .contenders import Course, play_worker, worker_spec
from .handlers import write_down
from .jobs import WaitsJob

WAIT: Final = 0.01
"""Seconds of a call."""
CONTENDERS: Final = {
    "function": ("wait", 1),
    "threads": ("wait", 64),
    "coroutine": ("wait_async", 1),
    "coroutines": ("wait_async", 64),
}
"""Name -> its handler here, and how many calls there may be at a time."""

_begun, _ended = count(1), count(1)
_records = 0
_began = 0.0


def prepare(records: int) -> None:
    """Say how many records there are, after the fork."""
    global _records  # noqa: PLW0603 - handlers are plain functions
    _records = records


def wait(message: Message) -> None:
    """Take one record."""
    del message
    _begin()
    time.sleep(WAIT)
    _end()


async def wait_async(message: Message) -> None:
    """Take one record."""
    del message
    _begin()
    await asyncio.sleep(WAIT)
    _end()


def measure(job: WaitsJob) -> dict[str, Any]:
    """Return the records per second of one contender, from the first call's begin to the last one's end."""
    course = Course(job.bootstrap, job.topic, job.records, job.embedded, "consumer", job.properties)
    handler, concurrency = CONTENDERS[job.contender]
    spec = worker_spec(course.kafka(), "record", f"{__name__}:{handler}", concurrency=concurrency, order="key")
    found = json.loads(play_worker(spec, job.records, Path(job.folder), partial(prepare, job.records)))
    return {"rate": job.records / found["seconds"], "records": job.records}


def _begin() -> None:
    global _began  # noqa: PLW0603 - see above
    if next(_begun) == 1:
        _began = clock.monotonic()


def _end() -> None:
    if next(_ended) == _records:
        write_down(json.dumps({"seconds": clock.monotonic() - _began}))
