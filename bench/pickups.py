"""How long a record takes from the moment it is due to the handler, at a low rate: kherd's worker beside a bare poll().

A record's value begins with its due time by CLOCK_MONOTONIC; 0: it is not measured.
"""

import json
import os
import threading
from functools import partial
from pathlib import Path
from typing import Any, Final, Self

from confluent_kafka import Consumer, Message, Producer, TopicPartition

from ..worker import clock, kernel
from ..worker.properties import consumer_properties
from ..worker.spec import KafkaSpec
from .arena import TIMEOUT, play
from .contenders import FETCH, Course, play_worker, worker_spec
from .handlers import write_down
from .jobs import PickupJob, TrialError
from .schedule import SECOND, Schedule, quantile
from .sender import TICK

STAMP: Final = 8
"""Bytes of a due time."""
PROBE: Final = 0.05
"""Seconds between two records sent until the contender has its partitions."""
WARMUP: Final = 0.5
"""Seconds at the trial's rate before what is measured."""
JOIN: Final = 30.0
COMMIT_INTERVAL: Final = 0.1
"""As kherd's default."""
JOINED: Final = "joined"

_late: list[int] = []
_left = 0
_joined: Path | None = None


def record(message: Message) -> None:
    """Take one record, and note how late it is."""
    global _joined, _left  # noqa: PLW0603 - an attribute's look-up would be part of what is measured
    now = clock.read_ns()
    due = int.from_bytes((message.value() or b"")[:STAMP], "big")
    if due:
        _late.append(now - due)
        _left -= 1
        if not _left:
            write_down(json.dumps(_late))
    elif _joined is not None:
        _joined.touch()
        _joined = None


def prepare(records: int, joined: Path) -> None:
    """Say how many records are measured and which file tells that the first one is there, after the fork."""
    global _joined, _left
    _joined, _left = joined, records


def measure(job: PickupJob) -> dict[str, Any]:
    """Return the median and p99 of one contender's latencies, in seconds; raises TrialError."""
    folder = Path(job.folder)
    records = int(job.rate * job.seconds)
    if records < 1:
        raise TrialError(f"{job.rate} records per second for {job.seconds:g} s are no record at all")
    course = Course(
        job.bootstrap, job.topic, records, job.embedded, "classic" if job.protocol == "classic" else "consumer",
        job.properties,
    )  # fmt: skip
    flow = Flow(job, folder / JOINED, records)
    ready = partial(prepare, records, folder / JOINED)
    if job.contender == "poll":
        found = play(records, folder, lambda: poll_bare(course.kafka(), ready), beside=flow)
    else:
        found = play_worker(worker_spec(course.kafka(), "record", f"{__name__}:record"), records, folder, ready, flow)
    late = sorted(one / SECOND for one in json.loads(found))
    return {"p50": quantile(late, 0.5), "p99": quantile(late, 0.99), "records": len(late)}


class Flow:
    """Sends by a schedule, from a thread, as soon as the contender has its partitions; a context manager."""

    def __init__(self, job: PickupJob, joined: Path, records: int) -> None:
        self._job, self._joined, self._records = job, joined, records
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._feed, name="flow")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _feed(self) -> None:
        job = self._job
        own = {"linger.ms": "0", "acks": "1", "bootstrap.servers": job.bootstrap}
        producer = Producer({**job.properties, **own})
        deadline = clock.monotonic() + JOIN
        while not self._joined.exists() and clock.monotonic() < deadline and not self._stop.wait(PROBE):
            producer.produce(job.topic, bytes(job.size), partition=0)
            producer.poll(0)
        warm = int(job.rate * WARMUP)
        schedule, sent = Schedule(clock.read_ns() + SECOND // 100, job.rate), 0
        while sent < warm + self._records and not self._stop.is_set():
            if schedule.due(sent) > clock.read_ns():
                clock.sleep(TICK)
                continue
            due = schedule.due(sent) if sent >= warm else 0
            value = due.to_bytes(STAMP, "big") + bytes(job.size - STAMP)
            producer.produce(job.topic, value, partition=sent % job.partitions)
            producer.poll(0)
            sent += 1
        producer.flush(JOIN)


def poll_bare(kafka: KafkaSpec, ready: partial[None]) -> None:
    """Call `record` from a loop over poll(), with the same settings and commits as often as kherd's."""
    kernel.unblock_signals()
    ready()
    properties = consumer_properties(kafka, client_id="bench", instance_id=None, handler_timeout=TIMEOUT)
    del properties["statistics.interval.ms"]
    consumer = Consumer(properties)
    consumer.subscribe(list(kafka.topics))
    done: dict[int, int] = {}
    committed_at = clock.monotonic()
    while _left:
        message = consumer.poll(FETCH)
        if message is not None:
            if message.error() is not None:
                raise TrialError(str(message.error()))
            record(message)
            done[message.partition()] = message.offset() + 1  # type: ignore[index, operator]  # a real record has both
        if done and clock.monotonic() - committed_at >= COMMIT_INTERVAL:
            committed_at = clock.monotonic()
            topic = kafka.topics[0]
            consumer.commit(offsets=[TopicPartition(topic, *one) for one in done.items()], asynchronous=True)
            done.clear()
    consumer.close()
    os._exit(0)
