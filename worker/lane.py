"""One librdkafka producer that never blocks its caller: made at first use, replaced after a fatal error.

What its queue does not take waits in a backlog, in order, and is offered again at every poll.
"""

from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, Final, Protocol

from confluent_kafka import KafkaError, KafkaException

from . import clock, events, log
from .decide.letter import Letter
from .errors import Record

PURGE_SECONDS: Final = 0.5
"""How long the reports of purged records may take; they are local, so this is only ever a fault's limit."""

Callback = Callable[[KafkaError | None, Any], None]


class ProducerLike(Protocol):
    """What is used of `confluent_kafka.Producer`."""

    def produce(self, *args: Any, **kwargs: Any) -> None: ...  # noqa: D102 - confluent-kafka's own
    def poll(self, timeout: float) -> int: ...  # noqa: D102
    def flush(self, timeout: float) -> int: ...  # noqa: D102
    def purge(self) -> None: ...  # noqa: D102
    def list_topics(self, topic: str, timeout: float) -> Any: ...  # noqa: D102
    def __len__(self) -> int: ...


class Entry:
    """What was submitted under one token. `failures` holds an item (None: see `Refused`) beside its error."""

    __slots__ = ("bytes", "failures", "items", "lane", "left", "partition", "settled", "token")

    def __init__(
        self,
        token: object,
        items: Sequence[Record] | Sequence[Letter],
        partition: int,
        settled: "Callable[[Entry], None]",
    ) -> None:
        self.token = token
        self.items = items
        self.partition = partition
        self.settled = settled
        self.left = len(items)
        self.bytes = 0
        self.failures: tuple[Refused, ...] = ()
        self.lane: Lane | None = None

    def delivered(self, error: KafkaError | None, message: Any) -> None:
        """Count one delivery report; all items of an entry share this callback, made once."""
        if error is not None:
            self.failures += (Refused(error, (message.topic(), message.key(), message.value())),)
        self.left -= 1
        if not self.left:
            self.settled(self)

    def refused(self, error: "KafkaError | str") -> None:
        """Count one item that was not even queued."""
        self.failures += (Refused(error, None),)
        self.left -= 1
        if not self.left:
            self.settled(self)


class Refused:
    """One item's failure; `content` is (topic, key, value) as the broker was sent it, None if it never was."""

    __slots__ = ("content", "error")

    def __init__(self, error: "KafkaError | str", content: tuple[str, bytes | None, bytes | None] | None) -> None:
        self.error = error
        self.content = content

    @property
    def code(self) -> int | None:
        """The error code of librdkafka, None if the item could not be a record at all."""
        return self.error.code() if isinstance(self.error, KafkaError) else None


class Lane:
    """A producer made by `factory`, with its backlog."""

    def __init__(self, factory: Callable[[], ProducerLike]) -> None:
        self._factory = factory
        self._producer: ProducerLike | None = None
        self._replaced: list[ProducerLike] = []
        self._backlog: deque[tuple[Entry, Record | Letter]] = deque()

    @property
    def blocked(self) -> bool:
        """Whether librdkafka's queue is full."""
        return bool(self._backlog)

    def send(self, entry: Entry, items: Sequence[Record] | Sequence[Letter]) -> None:
        """Queue `items` of `entry`; each ends in one call of its `delivered` or `refused`."""
        entry.lane = self
        callback = entry.delivered
        for item in items:
            if self._backlog or not self._offer(entry, item, callback):
                self._backlog.append((entry, item))

    def poll(self) -> None:
        """Serve delivery reports, then offer the backlog again."""
        if self._producer is not None:
            self._serve(self._producer.poll, 0)
        if self._replaced:
            self._retire()
        backlog = self._backlog
        while backlog:
            entry, item = backlog[0]
            if not self._offer(entry, item, entry.delivered):
                return
            backlog.popleft()

    def flush(self, seconds: float) -> None:
        """Send without lingering and wait for reports, at most `seconds`."""
        if self._producer is not None:
            self._serve(self._producer.flush, seconds)
        self.poll()

    def partitions(self, topic: str, seconds: float) -> int:
        """Return how many partitions `topic` has; 0 if unknown. Asks the brokers: blocks for up to `seconds`."""
        if self._producer is None:
            return 0
        try:
            metadata = self._producer.list_topics(topic, seconds).topics.get(topic)
        except KafkaException:
            return 0
        return len(metadata.partitions) if metadata is not None else 0

    def replace(self, reason: object) -> None:
        """Make the next send use a new producer: this one has had a fatal error and takes nothing any more."""
        if self._producer is None:
            return
        log.emit(events.PRODUCER_REPLACED, reason=str(reason))
        self._producer.purge()
        self._replaced.append(self._producer)
        self._producer = None

    def close(self) -> None:
        """Fail what is not delivered and drop the producer: `Producer.close` has no deadline, a purge needs none."""
        if self._producer is not None:
            self._producer.purge()
            self._replaced.append(self._producer)
            self._producer = None
        deadline = clock.monotonic() + PURGE_SECONDS
        while self._replaced and clock.monotonic() < deadline:
            self._retire(0.01)
        self._replaced.clear()
        while self._backlog:
            entry, _ = self._backlog.popleft()
            entry.refused(KafkaError(KafkaError._PURGE_QUEUE, "not sent before the deadline"))  # noqa: SLF001 - its public name

    def _serve(self, serve: Callable[[float], int], seconds: float) -> None:
        """Serve delivery reports; the binding raises a producer's fatal error from here, whoever set a callback."""
        try:
            serve(seconds)
        except KafkaException as error:
            self.replace(error.args[0])

    def _retire(self, seconds: float = 0.0) -> None:
        for producer in list(self._replaced):
            with suppress(KafkaException):  # the fatal error for which it was replaced
                producer.poll(seconds)
            if not len(producer):
                self._replaced.remove(producer)

    def _offer(self, entry: Entry, item: Record | Letter, callback: Callback) -> bool:
        try:
            producer = self._producer
            if producer is None:
                producer = self._producer = self._factory()
            if item.headers:
                headers = item.headers if isinstance(item.headers, list) else list(item.headers)
                producer.produce(item.topic, item.value, item.key, entry.partition, callback, headers=headers)
            else:
                producer.produce(item.topic, item.value, item.key, entry.partition, callback)
        except BufferError:
            return False
        except KafkaException as error:
            entry.refused(error.args[0])
        except (TypeError, ValueError) as error:  # a type that is no record's, text that is no UTF-8
            entry.refused(describe(item, error))
        return True


def describe(item: Record | Letter, error: Exception) -> str:
    """Return what is wrong with a record that librdkafka's binding would not even look at."""
    for name, value in (("value", item.value), ("key", item.key)):
        if value is not None and not isinstance(value, (bytes, str)):
            return f"a Record's {name} must be bytes, str or None, got {type(value).__name__}"
    if not isinstance(item.topic, str):
        return f"a Record's topic must be str, got {type(item.topic).__name__}"
    return f"a Record for topic {item.topic!r} cannot be sent: {error}"
