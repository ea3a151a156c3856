"""What a reader had finished and not committed at the moment a kill -9 ends it, in the middle of a topic."""

import json
import os
import signal
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final

from confluent_kafka import Consumer, Message, TopicPartition

from ..testing.topics import committed
from ..worker import clock, kernel
from ..worker.properties import consumer_properties
from ..worker.spec import KafkaSpec
from .arena import TIMEOUT, play
from .contenders import BATCH, FETCH, Course, play_worker, worker_spec
from .handlers import write_down
from .jobs import SuddenJob, TrialError

SETTLED: Final = 0.3
"""Seconds between two readings of the commits that have to be equal: what was on its way has arrived then."""
PATIENCE: Final = 20.0

_done: dict[int, int] = {}
_records = _bytes = _until = 0
_began = 0.0


def batch(messages: Sequence[Message]) -> None:
    """Take a list of records; if enough were finished before it, write down how far and be killed."""
    global _began, _bytes, _records  # noqa: PLW0603 - an attribute's look-up would cost as much as what is done
    if not _records:
        _began = clock.monotonic()
    elif _records >= _until:
        write_down(json.dumps({"seconds": clock.monotonic() - _began, "records": _records, "done": _done}))
        os.kill(os.getpid(), signal.SIGKILL)
    for message in messages:
        _bytes += len(message.value() or b"")
        _done[message.partition()] = message.offset() + 1  # type: ignore[index, operator]  # a real record has both
    _records += len(messages)


def prepare(until: int) -> None:
    """Say after how many records the end comes, after the fork."""
    global _until  # noqa: PLW0603 - see above
    _until = until


def measure(job: SuddenJob) -> dict[str, Any]:
    """Return the records per second of one contender, and how many were finished and not committed at its end."""
    protocol: Any = job.protocol
    course = Course(job.bootstrap, job.topic, job.until, job.embedded, protocol, job.properties)
    kafka, folder = course.kafka(), Path(job.folder)
    if job.contender == "async":
        found = play(job.until, folder, lambda: commit_without_bound(kafka, job.until))
    else:
        spec = worker_spec(kafka, "batch", f"{__name__}:batch")
        found = play_worker(spec, job.until, folder, partial(prepare, job.until))
    at_end = json.loads(found)
    done = {int(partition): offset for partition, offset in at_end["done"].items()}
    kept = settled_commits(job, kafka.group, list(done))
    left = sum(offset - max(0, kept.get(partition, 0)) for partition, offset in done.items())
    return {"rate": at_end["records"] / at_end["seconds"], "uncommitted": left}


def settled_commits(job: SuddenJob, group: str, partitions: Sequence[int]) -> dict[int, int]:
    """Return what is committed, partition -> offset, once nothing more arrives."""
    properties = {**job.properties, "bootstrap.servers": job.bootstrap, "log_level": "0"}
    deadline = clock.monotonic() + PATIENCE
    before: dict[int, int] | None = None
    while True:
        asked = [TopicPartition(job.topic, number) for number in partitions]
        found = {one.partition: one.offset for one in committed(properties, group, asked)}
        if found == before:
            return found
        if clock.monotonic() > deadline:
            raise TrialError(f"commits of {group} still arrive {PATIENCE:g} s after its member's death")
        before = found
        clock.sleep(SETTLED)


def commit_without_bound(kafka: KafkaSpec, until: int) -> None:
    """Read with consume(500) and commit each list without waiting for anything, as many programs do."""
    kernel.unblock_signals()
    prepare(until)
    properties = consumer_properties(kafka, client_id="bench", instance_id=None, handler_timeout=TIMEOUT)
    del properties["statistics.interval.ms"]
    consumer = Consumer(properties)
    consumer.subscribe(list(kafka.topics))
    while True:
        messages = consumer.consume(BATCH, FETCH)
        for message in messages:
            if message.error() is not None:
                raise TrialError(str(message.error()))
        if messages:
            batch(messages)
            last = {message.partition(): message for message in messages}
            consumer.commit(offsets=[_next(one) for one in last.values()], asynchronous=True)


def _next(message: Message) -> TopicPartition:
    topic: Any = message.topic()
    partition: Any = message.partition()
    offset: Any = message.offset()
    return TopicPartition(topic, partition, offset + 1)
