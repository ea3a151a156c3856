"""The producer trials, as their own process runs them: maximum rate, latency by a schedule, account of a kill."""

import gc
import time
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from confluent_kafka import Consumer, KafkaException, TopicPartition

from ..worker import clock
from .accounting import compare
from .jobs import ProduceJob, TrialError, said
from .matrix import NUMBER
from .schedule import SECOND, quantile
from .sender import Sender, limit_of, schedule_for

ANSWER: Final = 30.0
SETTLED: Final = 1.0
"""A topic that has not grown for so many seconds will not: with acks=0 brokers still write what was reported sent."""
GLANCE: Final = 0.05
SHARES: Final = {"p50": 0.5, "p90": 0.9, "p99": 0.99, "p999": 0.999, "max": 1.0}


def at_full_rate(job: ProduceJob) -> dict[str, Any]:
    """Return the steady rate of deliveries in a window, so that neither ramp-up nor flush is in it."""
    sender = Sender(job)
    _still()
    sender.flood(job.warmup)
    sender.statistics.forget()
    waited, sent, delivered = sender.waited, sender.sent, sender.delivered
    cpu, began = time.process_time(), clock.monotonic()
    sender.flood(job.seconds)
    seconds, cpu = clock.monotonic() - began, time.process_time() - cpu
    found = {
        "seconds": seconds,
        "records": sender.delivered - delivered,
        "sent": sender.sent - sent,
        "cpu_seconds": cpu,
        "full_share": (sender.waited - waited) / seconds,
        **sender.statistics.figures(),
    }
    sender.withdraw()
    sender.flush()
    return {**found, **_account(job, sender)}


def by_schedule(job: ProduceJob) -> dict[str, Any]:
    """Return latencies from due times; records of the warm-up are sent by the same schedule, and left out."""
    count = limit_of(job)
    sender = Sender(job, count)
    _still()
    schedule = schedule_for(job.rate or 1)
    sender.follow(schedule, count)
    sender.flush()
    first = min(count - 1, int((job.rate or 0) * job.warmup))
    latencies, delays = schedule.latencies(sender.times, first), schedule.latencies(sender.departures, first)
    reported = [time for time in sender.times if time > 0]
    return {
        "seconds": (max(reported) - schedule.start) / SECOND if reported else 0.0,
        "latency": _quantiles(latencies),
        "send_delay": _quantiles(delays),
        **_account(job, sender),
    }


def through_a_kill(job: ProduceJob) -> dict[str, Any]:
    """Return what the client said of each record against what is in the topic, while somebody kills its leader."""
    assert job.begun is not None
    count = limit_of(job)
    sender = Sender(job, count)
    schedule = schedule_for(job.rate or 1)
    Path(job.begun).touch()
    sender.follow(schedule, count)
    sender.flush()
    reader = Consumer(_reading(job.properties))
    try:
        _settle(reader, job, sender.delivered)
        copies = _read_back(reader, job, count)
    finally:
        reader.close()
    latencies = schedule.latencies(sender.times)
    return {
        "longest": latencies[-1] if latencies else None,
        "error": sender.error,
        **asdict(compare(sender.said(), copies)),
    }


def _still() -> None:
    """Keep the collector from walking what was made before."""
    gc.collect()
    gc.freeze()


def _quantiles(ordered: list[float]) -> dict[str, float] | None:
    if not ordered:
        return None
    return {name: quantile(ordered, share) for name, share in SHARES.items()} | {"count": len(ordered)}


def _account(job: ProduceJob, sender: Sender) -> dict[str, Any]:
    reader = Consumer(_reading(job.properties))
    try:
        written = _settle(reader, job, sender.delivered)
    finally:
        reader.close()
    return {
        "account": {
            "produced": sender.sent - sender.withdrawn,
            "delivered": sender.delivered,
            "failed": sender.failed,
            "written": written,
        },
        "error": sender.error,
    }


def _reading(properties: Mapping[str, str]) -> dict[str, str]:
    own = {"group.id": "kherd-bench-nobody", "enable.auto.commit": "false", "auto.offset.reset": "earliest"}
    return {**properties, **own, "log_level": "0", "reconnect.backoff.ms": "10"}


def _settle(reader: Consumer, job: ProduceJob, delivered: int) -> int:
    """Return the records ever written, once the topic holds what was delivered or has stopped growing."""
    written, since = -1, clock.monotonic()
    while True:
        now_written = sum(_ends(reader, job).values())
        if now_written != written:
            written, since = now_written, clock.monotonic()
        if written >= delivered or clock.monotonic() - since > SETTLED:
            return written
        clock.sleep(GLANCE)


def _ends(reader: Consumer, job: ProduceJob) -> dict[int, int]:
    """Return each partition's high watermark: on a fresh topic, the records ever written to it."""
    wanted = [TopicPartition(job.topic, number) for number in range(job.partitions)]
    return {at.partition: _end(reader, at) for at in wanted}


def _end(reader: Consumer, at: TopicPartition) -> int:
    """Ask until there is an answer: a leader that has just been elected does not know yet how far it may tell."""
    deadline = clock.monotonic() + ANSWER
    while True:
        try:
            marks, why = reader.get_watermark_offsets(at, ANSWER), "no answer"
        except KafkaException as error:
            marks, why = None, said(error)
        if marks is not None:
            return int(marks[1])
        if clock.monotonic() > deadline:
            raise TrialError(f"{at.topic}[{at.partition}] has no end: {why}")
        clock.sleep(GLANCE)


def _read_back(reader: Consumer, job: ProduceJob, count: int) -> list[int]:
    """Return how often each record is in the topic."""
    left = {partition: end for partition, end in _ends(reader, job).items() if end > 0}
    copies = [0] * count
    reader.assign([TopicPartition(job.topic, partition, 0) for partition in left])
    deadline = clock.monotonic() + ANSWER
    while left:
        for message in reader.consume(1000, 0.1):
            # Errors here are of brokers that are down; the deadline bounds how long that may last.
            partition, offset = message.partition(), message.offset()
            if message.error() is None and partition is not None and offset is not None:
                copies[int.from_bytes((message.value() or b"")[:NUMBER], "big")] += 1
                if offset + 1 >= left.get(partition, 0):
                    left.pop(partition, None)
        if clock.monotonic() > deadline:
            raise TrialError(f"{job.topic} could not be read back within {ANSWER:g} s")
    return copies
