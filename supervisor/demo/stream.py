"""The live stream that the demo sends, and the dead letters that come of it."""

import json
from dataclasses import dataclass
from typing import Any, Final

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, Message, Producer, TopicPartition

from ...worker.decide import headers as family
from .accounting import Stream

RATE: Final = 400
"""Records per second: every partition has one each 20 ms, so that a gap can be seen."""
POISON_EVERY: Final = 40
FLUSH_SECONDS: Final = 10.0
QUIET: Final = {"log_level": 2}
"""The broker goes before these clients do; that is no news for who watches."""
_POISON: Final = b"\x00not an order"


class Source:
    """Sends RATE records per second while it is pumped, partition by partition in turn."""

    def __init__(self, bootstrap: str, topic: str, partitions: int) -> None:
        self._producer = Producer({"bootstrap.servers": bootstrap, "enable.idempotence": True, "linger.ms": 5, **QUIET})
        self._topic = topic
        self._partitions = partitions
        self._began: float | None = None
        self._finished = False
        self._sent = 0
        self._acknowledged: set[str] = set()
        self._poison: set[str] = set()
        self.with_poison = False

    def pump(self, now: float) -> None:
        """Send what is due at `now` (monotonic seconds) and take in what the broker acknowledged."""
        if self._began is None:
            self._began = now
        while not self._finished and self._sent < int((now - self._began) * RATE):
            self._send_one()
        self._producer.poll(0)

    def finish(self) -> None:
        """Send nothing more, and wait until everything is acknowledged."""
        self._finished = True
        self._producer.flush(FLUSH_SECONDS)

    def stream(self) -> Stream:
        """Return what was sent, as far as the broker has it."""
        poison = self._poison & self._acknowledged
        unacknowledged = self._sent - len(self._acknowledged)
        return Stream(frozenset(self._acknowledged - poison), frozenset(poison), unacknowledged)

    def _send_one(self) -> None:
        number = self._sent
        key = f"order-{number:06d}"
        value = json.dumps({"key": key, "item": number % 97, "amount": number % 13 + 1}).encode()
        if self.with_poison and number % POISON_EVERY == 0:
            self._poison.add(key)
            value = _POISON
        self._producer.produce(
            self._topic, value, key, partition=number % self._partitions, on_delivery=self._on_delivery
        )
        self._sent += 1

    def _on_delivery(self, error: KafkaError | None, message: Message) -> None:
        key = message.key()
        if error is None and key is not None:
            self._acknowledged.add(key.decode() if isinstance(key, bytes) else key)


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """What the demo shows of a dead letter."""

    key: str
    origin: str
    error: str


class DeadLetters:
    """Reads a dead-letter topic from its beginning, without a group."""

    def __init__(self, bootstrap: str, topic: str, partitions: int) -> None:
        self._consumer = Consumer(
            {
                "bootstrap.servers": bootstrap,
                "group.id": "kherd-demo-reader",
                "enable.auto.commit": False,
                "fetch.wait.max.ms": 20,  # the embedded broker does not wake a fetch that waits
                **QUIET,
            }
        )
        self._consumer.assign([TopicPartition(topic, number, OFFSET_BEGINNING) for number in range(partitions)])
        self.letters: list[DeadLetter] = []

    def read(self) -> None:
        """Take in what has come."""
        for message in self._consumer.consume(500, 0):
            if message.error() is None:
                self.letters.append(_letter(message))

    @property
    def keys(self) -> list[str]:
        """The keys in the order they were read."""
        return [letter.key for letter in self.letters]

    def close(self) -> None:
        """End the consumer."""
        self._consumer.close()


def partitions_of(bootstrap: str, topics: tuple[str, ...], seconds: float) -> dict[str, int]:
    """Return how many partitions each of `topics` has; a topic that does not exist is left out."""
    asking = Producer({"bootstrap.servers": bootstrap, **QUIET})
    known: dict[str, Any] = asking.list_topics(timeout=seconds).topics
    return {topic: len(known[topic].partitions) for topic in topics if topic in known}


def _letter(message: Message) -> DeadLetter:
    headers: Any = message.headers() or []
    told = {name: value for name, value in headers if isinstance(value, bytes)}

    def text(name: str) -> str:
        return told.get(name, b"?").decode(errors="replace")

    key = message.key() or b""
    return DeadLetter(
        key=key.decode(errors="replace") if isinstance(key, bytes) else key,
        origin=f"{text(family.TOPIC)}[{text(family.PARTITION)}]@{text(family.OFFSET)}",
        error=text(family.EXCEPTION_MESSAGE),
    )
