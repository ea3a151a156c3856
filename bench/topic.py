"""The topic that every contender reads: filled once, before anybody is measured."""

import random
from typing import Final

from confluent_kafka import KafkaError, Message, Producer

from .jobs import FillJob, TrialError
from .payload import pool

SECONDS: Final = 60.0
MIB: Final = 2**20
EMBEDDED_PARTITION_BYTES: Final = 4 * MIB
"""A partition of the embedded broker keeps 5 MiB and forgets the oldest beyond."""
OVERHEAD: Final = 16
"""Bytes of a record beyond its key and value, at most."""
QUEUE: Final = 100_000


def partitions_for(records: int, size: int, least: int, *, embedded: bool) -> int:
    """Return how many partitions hold `records` of `size` bytes, at least `least`."""
    if not embedded:
        return least
    return max(least, -(-records * (size + OVERHEAD) // EMBEDDED_PARTITION_BYTES))


def fill(job: FillJob) -> int:
    """Write the records, partition by partition in turn, and return how many; raises TrialError if one is refused."""
    failed: list[str] = []

    def on_delivery(error: KafkaError | None, _message: Message) -> None:
        if error is not None:
            failed.append(error.str())

    own = {"linger.ms": 20, "queue.buffering.max.messages": 2 * QUEUE, "enable.idempotence": "true"}
    producer = Producer({**job.properties, **own, "on_delivery": on_delivery})
    partitions = len(producer.list_topics(job.topic, timeout=SECONDS).topics[job.topic].partitions)
    bodies = pool(job.size, job.entropy, random.Random(0))
    for number in range(job.records):
        value = number.to_bytes(8, "big") + bodies[number % len(bodies)]
        producer.produce(job.topic, value, partition=number % partitions)
        while len(producer) > QUEUE:
            producer.poll(0.05)
    if producer.flush(SECONDS) or failed:
        raise TrialError(f"topic {job.topic} could not be filled: {failed[0] if failed else 'no answer'}")
    return job.records
