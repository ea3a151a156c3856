"""A producer whose brokers answer when, and what, the test says."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

from confluent_kafka import KafkaError, KafkaException

Answer = Callable[["Sent"], KafkaError | None]


@dataclass
class Sent:
    """One record as librdkafka was handed it."""

    topic: str
    value: bytes | None
    key: bytes | None
    partition: int
    callback: Callable[[KafkaError | None, Any], None] = field(repr=False)
    headers: list[tuple[str, bytes | None]]
    alone: bool


@dataclass
class FakeProducer:
    """Takes `room` records at once; `answer` decides each one's fate at the poll; `silent` brokers answer nothing."""

    alone: bool
    log: list[Sent]
    answer: Answer = lambda _: None
    room: int = 1_000_000
    silent: bool = False
    refusal: Exception | None = None
    partitions: int = 0
    queue: list[Sent] = field(default_factory=list)

    def produce(  # noqa: PLR0917 - confluent-kafka's own
        self, topic: str, value: Any, key: Any, partition: int, callback: Any, headers: Any = None
    ) -> None:
        if len(self.queue) >= self.room:
            raise BufferError("Local: Queue full")
        if self.refusal is not None:
            raise self.refusal
        value, key = (part.encode() if isinstance(part, str) else part for part in (value, key))
        sent = Sent(topic, value, key, partition, callback, headers or [], self.alone)
        self.log.append(sent)
        self.queue.append(sent)

    def poll(self, timeout: float) -> int:
        if self.silent:
            return 0
        queue, self.queue = self.queue, []
        for sent in queue:
            self.report(sent, self.answer(sent))
        return len(queue)

    def flush(self, timeout: float) -> int:
        return self.poll(timeout)

    def purge(self) -> None:
        queue, self.queue, self.silent = self.queue, [], False
        for sent in queue:
            self.report(sent, KafkaError(KafkaError._PURGE_QUEUE))

    def list_topics(self, topic: str, timeout: float) -> Any:
        if not self.partitions:
            raise KafkaException(KafkaError(KafkaError._TRANSPORT))
        return SimpleNamespace(topics={topic: SimpleNamespace(partitions=dict.fromkeys(range(self.partitions)))})

    def __len__(self) -> int:
        return len(self.queue)

    @staticmethod
    def report(sent: Sent, error: KafkaError | None) -> None:
        message = SimpleNamespace(topic=lambda: sent.topic, key=lambda: sent.key, value=lambda: sent.value)
        sent.callback(error, message)


class Producers:
    """The factory to give to `Outputs`: remembers what it made, and everything that was sent through it."""

    def __init__(self, **options: Any) -> None:
        self.options = options
        self.made: list[FakeProducer] = []
        self.sent: list[Sent] = []

    def __call__(self, overrides: Mapping[str, str | int]) -> FakeProducer:
        producer = FakeProducer(alone=bool(overrides), log=self.sent, **self.options)
        self.made.append(producer)
        return producer


def refuse(*codes: int, when: Callable[[Sent], bool] = lambda _: True) -> Answer:
    """Return an answer that gives `codes` in turn (the last for ever) to the records that `when` is true for."""
    left = list(codes)

    def answer(sent: Sent) -> KafkaError | None:
        if not when(sent):
            return None
        return KafkaError(left.pop(0) if len(left) > 1 else left[0])

    return answer
