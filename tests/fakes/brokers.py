"""A broker inside the test's process (librdkafka's mock cluster), and what both it and a real one are asked."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from confluent_kafka import Consumer, Message, Producer, TopicPartition

from kherd.worker.lane import ProducerLike


@contextmanager
def mock_brokers() -> Iterator[str]:
    """Yield the bootstrap servers of a mock cluster; topics have 4 partitions and appear when they are produced to."""
    keeper = Producer({"test.mock.num.brokers": 1, "log_level": 0})
    found = keeper.list_topics(timeout=5).brokers.values()
    yield ",".join(f"{broker.host}:{broker.port}" for broker in found)
    keeper.close()


def producers(bootstrap: str, **properties: str | int) -> Callable[[Mapping[str, str | int]], ProducerLike]:
    """Return the factory to give to `Outputs`."""

    def make(overrides: Mapping[str, str | int]) -> ProducerLike:
        own = {"enable.idempotence": "true", "linger.ms": 20, "log_level": 0}
        return Producer({"bootstrap.servers": bootstrap, **own, **properties, **overrides})

    return make


def read(bootstrap: str, topic: str, count: int, *, partitions: int = 4, seconds: float = 10) -> list[Message]:
    """Return the first `count` records of `topic`, read as no member of any group."""
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": "reader", "fetch.wait.max.ms": 10})
    consumer.assign([TopicPartition(topic, number, 0) for number in range(partitions)])
    found: list[Message] = []
    deadline = time.monotonic() + seconds
    while len(found) < count and time.monotonic() < deadline:
        message = consumer.poll(0.1)
        if message is not None:  # not by truth: a tombstone is falsy
            assert message.error() is None
            found.append(message)
    consumer.close()
    assert len(found) == count
    return found
