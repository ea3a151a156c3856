"""The one librdkafka consumer of a worker: every call of it is here, made by one thread, and its callbacks never raise.

An exception in a callback or a signal handler would make librdkafka's binding drop records it has already counted as
delivered. So callbacks record; what went wrong in one is raised by the call that served it, once that has returned.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final, Protocol

from confluent_kafka import (
    OFFSET_BEGINNING,
    OFFSET_END,
    OFFSET_INVALID,
    Consumer,
    KafkaError,
    KafkaException,
    Message,
    TopicPartition,
)

from . import clock, events, log
from .clientlog import ClientLog
from .decide.handover import Commit, Log
from .decide.metadata import read
from .decide.pressure import Key
from .importing import resolve
from .properties import consumer_properties
from .seldom import Seldom
from .spec import WorkerSpec

STATISTICS_MS: Final = 1000
"""How long a KIP-848 member without partitions may take to be seen as ready: it never gets an on_assign."""
WATERMARK_SECONDS: Final = 1.0
ANSWER_SECONDS: Final = 0.5
"""For a leader's answer, beside the time that a fetch before it may wait for records (fetch.wait.max.ms): it takes one
request of a connection at a time. One without its answer in time costs the connection, with all that is under way."""
FATAL: Final = KafkaError._FATAL  # noqa: SLF001 - its public name

ConsumerFactory = Callable[..., Any]


class Rebalances(Protocol):
    """What the owner does when the group moves partitions, inside a poll."""

    def on_assign(self, keys: Sequence[Key]) -> None: ...  # noqa: D102
    def on_revoke(self, keys: Sequence[Key]) -> None: ...  # noqa: D102
    def on_lost(self, keys: Sequence[Key]) -> None: ...  # noqa: D102


class Answer:
    """What became of one asynchronous commit: an error for all of it, or one per partition."""

    __slots__ = ("error", "offsets")

    def __init__(self, error: KafkaError | None, offsets: Sequence[TopicPartition]) -> None:
        self.error = error
        self.offsets = offsets


class CallbackError(Exception):
    """A callback of ours has a fault; raised after the call that served it."""


class Client:
    """A consumer. Created here, it joins the group at `subscribe` and with the first polls."""

    def __init__(
        self, spec: WorkerSpec, *, client_id: str, instance_id: str | None, factory: ConsumerFactory = Consumer
    ) -> None:
        """Create the consumer.

        Raises:
            KafkaException: librdkafka refuses a property.
            HandlerError: `kafka.oauth` cannot be imported.
        """
        self.log = ClientLog()
        self.answers: list[Answer] = []
        self.steady = False
        """KIP-848: the group has taken us in, with or without partitions."""
        self.polled_at = clock.monotonic()
        self._failure: Exception | None = None
        self._seldom = Seldom()
        properties = _properties(spec, client_id, instance_id)
        self.max_poll_interval = int(properties.get("max.poll.interval.ms", 300_000)) / 1000
        self._leaders_seconds = int(properties.get("fetch.wait.max.ms", 500)) / 1000 + ANSWER_SECONDS
        self._consumer = factory(
            {**properties, "on_commit": self._on_commit, "error_cb": self._on_error, "stats_cb": self._on_stats},
            logger=self.log.logger(),
        )

    def subscribe(self, topics: Sequence[str], rebalances: Rebalances) -> None:
        """Join the group for `topics`."""
        self._consumer.subscribe(
            list(topics),
            on_assign=self._guarded(rebalances.on_assign),
            on_revoke=self._guarded(rebalances.on_revoke),
            on_lost=self._guarded(rebalances.on_lost),
        )

    def poll(self, seconds: float) -> Message | None:
        """Serve callbacks and return the first record or error within `seconds`."""
        message: Message | None = self._consumer.poll(seconds)
        self.polled_at = clock.monotonic()
        self._check()
        return message

    def consume(self, limit: int, seconds: float) -> list[Message]:
        """Return up to `limit` records or errors that are there within `seconds`; signals wait that long."""
        messages: list[Message] = self._consumer.consume(limit, seconds)
        self.polled_at = clock.monotonic()
        self._check()
        return messages

    def commit(self, offsets: Iterable[TopicPartition]) -> None:
        """Begin a commit; its `Answer` comes with a later poll. Raises KafkaException."""
        self._consumer.commit(offsets=list(offsets), asynchronous=True)

    def commit_now(self, offsets: Iterable[TopicPartition]) -> list[TopicPartition]:
        """Commit and wait, for as long as it takes (45 s without brokers). Raises KafkaException."""
        results: list[TopicPartition] = self._consumer.commit(offsets=list(offsets), asynchronous=False)
        return results

    def pause(self, keys: Iterable[Key]) -> None:
        """Deliver nothing of `keys`; drops what is prefetched of them. Raises KafkaException."""
        self._consumer.pause([TopicPartition(*key) for key in keys])

    def resume(self, keys: Iterable[Key]) -> None:
        """Deliver `keys` again. Raises KafkaException."""
        self._consumer.resume([TopicPartition(*key) for key in keys])

    def committed(self, keys: Iterable[Key], seconds: float) -> dict[Key, Commit]:
        """Return what the group has committed of what can be read. Raises KafkaException."""
        rows = self._consumer.committed([TopicPartition(*key) for key in keys], timeout=seconds)
        return {(row.topic, row.partition): _commit(row) for row in rows if row.error is None}

    def ends(self, keys: Iterable[Key]) -> dict[Key, int]:
        """Return where "latest" is for our isolation level, of what can be read. Raises KafkaException."""
        return {key: row.offset for key, row in self._offsets(keys, OFFSET_END).items()}

    def logs(self, keys: Sequence[Key]) -> dict[Key, Log]:
        """Return the log of each of `keys`, for our isolation level, of what can be read. Raises KafkaException."""
        ends = self._offsets(keys, OFFSET_END)
        starts = self._offsets(keys, OFFSET_BEGINNING)
        return {key: _log(starts[key], ends[key]) for key in keys if key in starts and key in ends}

    def epochs(self, keys: Iterable[Key]) -> dict[Key, int]:
        """Return the leader epoch of each of `keys`, of what can be read. Raises KafkaException."""
        rows = self._offsets(keys, OFFSET_END)
        return {key: row.leader_epoch for key, row in rows.items() if row.leader_epoch is not None}

    def _offsets(self, keys: Iterable[Key], which: int) -> dict[Key, TopicPartition]:
        asked = [TopicPartition(*key, which) for key in keys]
        rows = self._consumer.offsets_for_times(asked, timeout=self._leaders_seconds)
        return {(row.topic, row.partition): row for row in rows if row.error is None and row.offset >= 0}

    def assign(self, keys: Iterable[Key], starts: Mapping[Key, int]) -> None:
        """Begin with `keys`, in their on_assign, from `starts`, else from the commit. Raises KafkaException."""
        self._consumer.incremental_assign([TopicPartition(*key, starts.get(key, OFFSET_INVALID)) for key in keys])

    def watermarks(self, key: Key) -> tuple[int, int] | None:
        """Return the first offset there is and the next to be written; None if no broker answers within a second."""
        try:
            low, high = self._consumer.get_watermark_offsets(TopicPartition(*key), timeout=WATERMARK_SECONDS)
        except (KafkaException, TypeError):  # the binding returns None at a timeout
            return None
        return low, high

    def is_heard(self, seconds: float) -> bool:
        """Return whether a broker answers within `seconds`; the answer also wakes a join that waits for metadata."""
        try:
            self._consumer.list_topics(timeout=seconds)
        except KafkaException:
            return False
        return True

    def member_id(self) -> str | None:
        """Return who we are in the group; KIP-848 knows it from the start, classic once the group has answered."""
        return self._consumer.memberid() or None

    def close(self) -> None:
        """Leave the group, or not, as static membership has it; may serve a revocation first."""
        self._consumer.close()

    def _guarded(self, function: Callable[[Sequence[Key]], None]) -> Callable[[object, Sequence[TopicPartition]], None]:
        def call(_consumer: object, partitions: Sequence[TopicPartition]) -> None:
            try:
                function([(one.topic, one.partition) for one in partitions])
            except Exception as error:  # noqa: BLE001 - raised by _check instead: here it would lose records
                self._failure = error

        return call

    def _check(self) -> None:
        if self._failure is not None:
            failure, self._failure = self._failure, None
            raise CallbackError(f"{type(failure).__name__}: {failure}") from failure

    def _on_commit(self, error: KafkaError | None, offsets: Sequence[TopicPartition]) -> None:
        self.answers.append(Answer(error, offsets))

    def _on_error(self, error: KafkaError) -> None:
        if self._seldom(error.code()):
            log.emit(events.CLIENT_ERROR, code=error.name(), text=error.str())

    def _on_stats(self, text: str) -> None:
        if not self.steady:
            group = json.loads(text).get("cgrp", {})
            self.steady = group.get("state") == "up" and group.get("join_state") == "steady"


def _commit(row: TopicPartition) -> Commit:
    text = row.metadata or ""
    return Commit(row.offset, read(text).nonce, text) if row.offset >= 0 else Commit(None)


def _log(start: TopicPartition, end: TopicPartition) -> Log:
    epochs = [row.leader_epoch for row in (start, end) if row.leader_epoch is not None]  # some brokers tell one of them
    return Log(start.offset, end.offset, max(epochs, default=None))


def _properties(spec: WorkerSpec, client_id: str, instance_id: str | None) -> dict[str, Any]:
    properties: dict[str, Any] = dict(
        consumer_properties(
            spec.kafka, client_id=client_id, instance_id=instance_id, handler_timeout=spec.handler_timeout
        )
    )
    if spec.kafka.oauth is not None:
        properties["oauth_cb"] = resolve(spec.kafka.oauth, spec.pythonpath)
    if spec.kafka.group_protocol == "consumer":
        properties.setdefault("statistics.interval.ms", STATISTICS_MS)
    else:  # a classic member without partitions gets an on_assign of nothing
        properties.pop("statistics.interval.ms", None)
    return properties
