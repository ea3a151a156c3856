"""Records for tests: many at once, or a paced stream beside the test; what was acknowledged is known exactly."""

import threading
from collections import defaultdict
from collections.abc import Callable, Mapping
from typing import Final, Self

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from ..worker import clock

RELIABLE: Final = {"enable.idempotence": "true", "linger.ms": "2", "log_level": "0"}
"""Idempotent, so that a retry is never a second record and acknowledged offsets are the whole truth."""
FLUSH: Final = 60.0
TICK: Final = 0.005
Value = Callable[[int], bytes | None]
Key = Callable[[int], bytes | None]


def number(n: int) -> bytes:
    """Return the value records have if nothing else is said: their running number."""
    return b"%d" % n


def fill(
    properties: Mapping[str, str],
    topic: str,
    count: int,
    *,
    partitions: int,
    value: Value = number,
    key: Key = lambda _: None,
    start: int = 0,
) -> None:
    """Produce `count` records evenly to `partitions` partitions in turn; `value` and `key` get numbers from `start` on.

    Raises:
        KafkaException: the broker refused one, or not all were acknowledged within a minute.
    """
    errors: list[KafkaError] = []
    more = {"delivery.report.only.error": True, "on_delivery": lambda error, _: errors.append(error)}
    producer = Producer({**properties, **RELIABLE, **more, "queue.buffering.max.messages": "200000"})
    for n in range(start, start + count):
        _produce(producer, topic, value(n), key(n), n % partitions)
    if (left := producer.flush(FLUSH)) or errors:
        raise KafkaException(errors[0] if errors else f"{left} records not acknowledged within {FLUSH:g} s")


class Feeder:
    """A stream of `rate` records per second to `partitions` in turn, from a thread, until `stop`; a context manager.

    After `stop`, `acknowledged` is partition -> offsets and `failed` counts what the broker refused. Brokers that are
    down for `patience` seconds are outlived.
    """

    def __init__(
        self,
        properties: Mapping[str, str],
        topic: str,
        rate: float,
        *,
        partitions: int,
        value: Value = number,
        key: Key = lambda _: None,
        patience: float = 120.0,
    ) -> None:
        self.topic = topic
        self.acknowledged: dict[int, list[int]] = defaultdict(list)
        self.failed = 0
        self.sent = 0
        self._rate, self._partitions, self._value, self._key = rate, partitions, value, key
        self._patience = patience
        limit = {"message.timeout.ms": str(int(patience * 1000))}
        self._producer = Producer({**properties, **RELIABLE, **limit, "on_delivery": self._delivered})
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._feed, name=f"feeder of {topic}")

    def start(self) -> Self:
        """Begin."""
        self._thread.start()
        return self

    def stop(self) -> dict[int, list[int]]:
        """Send no more, wait for every acknowledgement, and return them; may be called twice."""
        self._stop.set()
        self._thread.join()
        left = self._producer.flush(self._patience)
        if left:
            raise TimeoutError(f"{left} records to {self.topic} neither acknowledged nor refused")
        return self.acknowledged

    @property
    def count(self) -> int:
        """How many are acknowledged."""
        return sum(map(len, self.acknowledged.values()))

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _feed(self) -> None:
        begun = clock.monotonic()
        while not self._stop.is_set():
            due = int((clock.monotonic() - begun) * self._rate) + 1
            for n in range(self.sent, due):
                _produce(self._producer, self.topic, self._value(n), self._key(n), n % self._partitions)
            self.sent = max(self.sent, due)
            self._producer.poll(0)
            self._stop.wait(max(TICK, min(0.1, 1 / self._rate)))

    def _delivered(self, error: KafkaError | None, message: Message) -> None:
        partition, offset = message.partition(), message.offset()
        if error is not None or partition is None or offset is None:
            self.failed += 1
        else:
            self.acknowledged[partition].append(offset)


def _produce(producer: Producer, topic: str, value: bytes | None, key: bytes | None, partition: int) -> None:
    while True:
        try:
            producer.produce(topic, value, key, partition)
        except BufferError:  # full: let what is in flight arrive
            producer.poll(0.1)
        else:
            return
