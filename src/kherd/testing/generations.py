"""How often a group has rebalanced, as its coordinator itself wrote it down, whatever the members believe.

Read from `__consumer_offsets`: a record with key version 2 (GroupMetadataKey, classic) holds the generation, one
with key version 3 (ConsumerGroupMetadataKey, KIP-848) its epoch. Either grows with every rebalance; a static
member that comes back under its instance id leaves it as it is. Formats: Kafka's message definitions of these names.
"""

import struct
from typing import Final

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from .topics import ANSWER, Cluster

OFFSETS: Final = "__consumer_offsets"
CLASSIC, CONSUMER = 2, 3


def generation(cluster: Cluster, group: str) -> int:
    """Return the group's generation (classic) or epoch (KIP-848) now.

    Raises:
        LookupError: the coordinator has not written anything of the group.
    """
    properties = {**cluster.own_properties, "group.id": "nobody", "isolation.level": "read_committed"}
    consumer = Consumer({**properties, "enable.partition.eof": "true", "auto.offset.reset": "earliest"})
    try:
        return _last(consumer, group)
    finally:
        consumer.close()


def _last(consumer: Consumer, group: str) -> int:
    count = len(consumer.list_topics(OFFSETS, timeout=ANSWER).topics[OFFSETS].partitions)
    place = TopicPartition(OFFSETS, _java_hash(group) % count)
    # A busy partition has no end to arrive at: what is written meanwhile belongs to the next question.
    _, end = consumer.get_watermark_offsets(place, timeout=ANSWER)
    place.offset = 0
    consumer.assign([place])
    found: int | None = None
    at = 0
    while at < end:
        message = consumer.poll(ANSWER)
        if message is None:
            raise TimeoutError(f"{OFFSETS}[{place.partition}] gives nothing within {ANSWER:g} s from {at} of {end}")
        error = message.error()
        if error is not None:
            if error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001 - its public name, as librdkafka has it
                break
            raise KafkaException(error)
        at = (message.offset() or 0) + 1
        read = _generation(message.key() or b"", message.value(), group)
        found = found if read is None else read
    if found is None:
        raise LookupError(f"nothing is written of group {group}")
    return found


def _generation(key: bytes, value: bytes | None, group: str) -> int | None:
    """Return what a record says of the group's generation; None if it is about something else."""
    if len(key) < 4:  # noqa: PLR2004 - a transaction's marker
        return None
    version, length = struct.unpack_from(">hh", key)
    if version not in {CLASSIC, CONSUMER} or value is None or key[4 : 4 + length] != group.encode():
        return None
    if version == CONSUMER:
        (epoch,) = struct.unpack_from(">i", value, 2)
        return int(epoch)
    # Value versions 0-3 have plain strings: version, protocol type, generation.
    written, name = struct.unpack_from(">hh", value)
    if written > 3:  # noqa: PLR2004 - 4 is the first flexible version
        raise ValueError(f"GroupMetadataValue version {written} is not known here")
    (number,) = struct.unpack_from(">i", value, 4 + name)
    return int(number)


def _java_hash(text: str) -> int:
    """Return abs(String.hashCode()) as Kafka's Utils.abs does: the coordinator's partition is it modulo the count."""
    code = 0
    for character in text:
        code = (31 * code + ord(character)) & 0xFFFFFFFF
    signed = code - (1 << 32) if code >> 31 else code
    return 0 if signed == -(1 << 31) else abs(signed)
