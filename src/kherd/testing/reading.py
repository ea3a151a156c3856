"""All that is in a topic, read once, by nobody's group."""

from typing import Any, Final

from confluent_kafka import Consumer, KafkaException, Message, TopicPartition

from .topics import ANSWER, Cluster
from .wait import until

READERS: Final = {"group.id": "nobody", "enable.auto.commit": "false", "auto.offset.reset": "earliest"}


def read(cluster: Cluster, topic: str) -> list[Message]:
    """Return every record of `topic` up to its ends at the time of the call, partition after partition, in order."""
    wanted = {partition: end for partition, end in cluster.ends(topic).items() if end > 0}
    left = {partition for partition, end in wanted.items() if cluster.starts(topic)[partition] < end}
    found: list[Message] = []
    consumer = Consumer({**cluster.own_properties, **READERS})
    try:
        consumer.assign([TopicPartition(topic, partition, 0) for partition in left])
        while left:
            # A list, because a record without a value is false.
            [message] = until(lambda: consumer.consume(1, 0.1), ANSWER, f"the rest of {topic}")
            if message.error():
                raise KafkaException(message.error())
            partition, offset = message.partition(), message.offset()
            assert partition is not None
            assert offset is not None
            found.append(message)
            if offset + 1 >= wanted[partition]:
                left.discard(partition)
    finally:
        consumer.close()
    return sorted(found, key=lambda message: (message.partition() or 0, message.offset() or 0))


def headers(message: Message) -> list[tuple[str, bytes | None]]:
    """Return a record's headers as they are: names may occur more than once, values may be null."""
    found: Any = message.headers()  # the annotation allows for what only a producer may be given
    return [(name, value) for name, value in found or []]
