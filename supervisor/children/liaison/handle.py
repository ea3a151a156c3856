"""librdkafka's questions that survive an outage, asked through a consumer that never joins its group.

Not through AdminClient: when brokers go away and come back while one of its requests is under way, librdkafka 2.16
ends the whole process by an assertion (`eonce->refcnt > 0`, `rko_result`), answers an offset of -1001 without an error,
or asks with an outdated leader epoch from then on.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, Literal

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from ....worker import clock
from ...decide.topics import Topic

Isolation = Literal["read_committed", "read_uncommitted"]
Key = tuple[str, int]

END: Final = -1
START: Final = -2
"""Kafka's special timestamps: the offset of the latest, and of the earliest record."""
RENEW_SECONDS: Final = 15.0
"""A client that has had no answer for so long is replaced, again and again: one that was made while all brokers were
fenced may have lost the only one it knew, and asks nobody until its metadata is refreshed, after five minutes
(librdkafka #5301)."""
SERVED: Final = 100
"""Waiting callbacks that are delivered before a question; an outage leaves some per second."""
DEFAULTS: Final[Mapping[str, Any]] = {
    # A broker that hangs is left alone after this; librdkafka's default of 60 s would be asked again and again.
    "socket.timeout.ms": 6000,
    "reconnect.backoff.max.ms": 2000,
}
OWN: Final[Mapping[str, Any]] = {
    "enable.auto.commit": False,
    "enable.auto.offset.store": False,
    "allow.auto.create.topics": False,
    # What the members speak does not matter to a reader, and only this protocol has no need of a member id.
    "group.protocol": "classic",
}


class AskError(Exception):
    """Kafka did not answer, or refused; the message is for a log line."""


class Handle:
    """A consumer of `group` that only asks, for one thread.

    In confluent-kafka 2.16 a call on a consumer that another thread is polling never returns and never lets go of the
    interpreter, so that the whole process stands still.
    """

    def __init__(
        self,
        properties: Mapping[str, Any],
        group: str,
        isolation: Isolation,
        *,
        factory: Callable[[dict[str, Any]], Any] = Consumer,
        now: Callable[[], float] = clock.monotonic,
    ) -> None:
        self._factory, self._now = factory, now
        self._refusal: str | None = None
        self.heard = ""
        """The newest of librdkafka's own troubles with a broker, in its words: refused, not trusted, not let in."""
        own = {**OWN, "group.id": group, "isolation.level": isolation, "error_cb": self._on_error}
        self._properties = {**DEFAULTS, **properties, **own}
        self._consumer = factory(self._properties)
        self._answered_at = now()

    def serve(self, seconds: float) -> None:
        """Deliver librdkafka's log lines, errors and token requests, and wait up to `seconds` for one."""
        for _ in range(SERVED):
            if self._consumer.poll(seconds) is None:
                return

    def topics(self, seconds: float, only: str | None = None) -> list[Topic]:
        """Return every topic that this client may see, or just `only`, which costs a large cluster less.

        Raises:
            AskError: no broker answered in time.
        """
        metadata = self._ask(lambda: self._consumer.list_topics(only, timeout=seconds))
        return [_topic(row) for row in metadata.topics.values() if row.partitions]

    def committed(self, keys: Sequence[Key], deadline: float) -> list[TopicPartition]:
        """Return a partition per key; `offset` is negative without a commit, `error` is set if it could not be read.

        Raises:
            AskError: no answer until `deadline` (monotonic).
        """
        asked = [TopicPartition(*key) for key in keys]
        rows: list[TopicPartition] = self._ask(lambda: self._consumer.committed(asked, timeout=_left(deadline)))
        return rows

    def offsets(self, keys: Sequence[Key], which: int, deadline: float) -> list[TopicPartition]:
        """Return a partition per key; `offset` is where the log ends or starts, `error` is set if it is not known.

        Raises:
            AskError: no answer until `deadline` (monotonic).
        """
        asked = [TopicPartition(*key, which) for key in keys]
        rows: list[TopicPartition] = self._ask(lambda: self._consumer.offsets_for_times(asked, timeout=_left(deadline)))
        return rows

    def _ask(self, question: Callable[[], Any]) -> Any:
        self.serve(0)
        asked_at = self._now()
        try:
            answer = question()
        except KafkaException as error:
            told = f"{error.args[0].name()}: {error.args[0].str()}"
            self._unanswered(asked_at)
            raise AskError(self._refusal or told) from error
        self._refusal = None
        self._answered_at = self._now()
        return answer

    def _unanswered(self, asked_at: float) -> None:
        if self._answered_at < asked_at - RENEW_SECONDS:
            self._consumer.close()  # it is in no group: at once
            self._consumer = self._factory(self._properties)
            self._answered_at = self._now()

    def _on_error(self, error: KafkaError) -> None:
        """Keep what a broker said: a coordinator that refuses otherwise shows as a timeout only."""
        if error.code() > 0:
            self._refusal = f"{error.name()}: {error.str()}"
        elif error.code() != KafkaError._ALL_BROKERS_DOWN:  # noqa: SLF001 - its public name
            self.heard = error.str()


def _topic(row: Any) -> Topic:
    return Topic(row.topic, len(row.partitions), max(len(partition.replicas) for partition in row.partitions.values()))


def _left(deadline: float) -> float:
    left = deadline - clock.monotonic()
    if left <= 0:
        raise AskError("no time left")
    return left
