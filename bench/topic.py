"""The topic that every contender reads: filled once, before anybody is measured."""

import os
from collections.abc import Callable
from typing import Final

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, Producer, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

SECONDS: Final = 30.0
MIB: Final = 2**20
EMBEDDED_PARTITION_BYTES: Final = 4 * MIB
"""A partition of the embedded broker keeps 5 MiB and forgets the oldest beyond."""
OVERHEAD: Final = 16
"""Bytes of a record beyond its key and value, at most."""
PARTITIONS: Final = 4
QUEUE: Final = 100_000


class FillError(Exception):
    """The topic is not what the measurement needs."""


def partitions_for(records: int, size: int, *, embedded: bool) -> int:
    """Return how many partitions hold `records` of `size` bytes."""
    if not embedded:
        return PARTITIONS
    return max(PARTITIONS, -(-records * (size + OVERHEAD) // EMBEDDED_PARTITION_BYTES))


def ensure(bootstrap: str, topic: str, partitions: int) -> None:
    """Create `topic` on a real Kafka unless it exists."""
    admin = AdminClient(
        {"bootstrap.servers": bootstrap, "log_level": 2}
    )  # a name of its own: its end would fail the future
    try:
        admin.create_topics([NewTopic(topic, partitions, 1)])[topic].result(SECONDS)
    except KafkaException as error:
        if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
            raise


def fill(bootstrap: str, topic: str, records: int, size: int) -> None:
    """Bring `topic` to `records` records of `size` bytes, partition by partition in turn; one filled before is kept."""
    found = count(bootstrap, topic)
    if found == records:
        return
    if found:
        raise FillError(f"topic {topic} holds {found} records, not {records}: delete it")
    failed: list[str] = []

    def on_delivery(error: KafkaError | None, _message: Message) -> None:
        if error is not None:
            failed.append(error.str())

    producer = Producer(
        {"bootstrap.servers": bootstrap, "linger.ms": 20, "queue.buffering.max.messages": 2 * QUEUE, "log_level": 2}
    )
    partitions = len(producer.list_topics(topic, timeout=SECONDS).topics[topic].partitions)
    value = b"x" * size
    for number in range(records):
        producer.produce(topic, value, partition=number % partitions, on_delivery=on_delivery)
        while len(producer) > QUEUE:
            producer.poll(0.05)
    if producer.flush(SECONDS) or failed:
        raise FillError(f"topic {topic} could not be filled: {failed[0] if failed else 'no answer'}")


def count(bootstrap: str, topic: str) -> int:
    """Return how many records `topic` holds."""
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": "kherd-bench-count", "log_level": 2})
    try:
        partitions = consumer.list_topics(topic, timeout=SECONDS).topics[topic].partitions
        marks = [consumer.get_watermark_offsets(TopicPartition(topic, number), SECONDS) for number in partitions]
    finally:
        consumer.close()
    return sum(high - low for low, high in marks if low >= 0)


def in_child(work: Callable[[], None]) -> None:
    """Run `work` in a forked process, so that this one stays without threads.

    Raises:
        FillError: it failed; it has said why.
    """
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            work()
            code = 0
        except (FillError, KafkaException) as error:
            os.write(2, f"{error}\n".encode())
        finally:
            os._exit(code)
    if os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) != 0:
        raise FillError("the topic could not be prepared")
