"""A consumer in the test's own process that writes down all that happens to it."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, Literal, Self

from confluent_kafka import Consumer, KafkaError, Message, TopicPartition

from .wait import until

PATIENCE: Final = 30.0
GroupProtocol = Literal["classic", "consumer"]
OnAssign = Callable[[Consumer, list[TopicPartition]], None]
Happening = tuple[str, tuple[int, ...]]
"""What (`assigned`, `revoked`, `lost`) happened to which partitions."""


class Member:
    """A group member of one topic; polled only inside `until` and `poll`. A context manager that closes it."""

    def __init__(
        self,
        properties: Mapping[str, Any],
        group: str,
        topics: Sequence[str],
        *,
        protocol: GroupProtocol = "consumer",
        on_assign: OnAssign | None = None,
        on_revoke: OnAssign | None = None,
    ) -> None:
        own = {
            "group.id": group,
            "group.protocol": protocol,
            "auto.offset.reset": "earliest",
            "enable.auto.commit": "false",
            "enable.auto.offset.store": "false",
            "fetch.wait.max.ms": "10",
            "log_level": "0",
            "on_commit": self._on_commit,
        }
        if protocol == "classic":
            own["partition.assignment.strategy"] = "cooperative-sticky"
        self.happened: list[Happening] = []
        self.partitions: set[int] = set()
        self.messages: list[Message] = []
        self.errors: list[KafkaError] = []
        self.commits: list[tuple[KafkaError | None, list[TopicPartition]]] = []
        self._on_assign, self._on_revoke = on_assign, on_revoke
        self._open = True
        self.consumer = Consumer({**own, **properties})
        self.consumer.subscribe(list(topics), on_assign=self._assigned, on_revoke=self._revoked, on_lost=self._lost)

    def poll(self, seconds: float = 0.0) -> Message | None:
        """Poll once; records and errors are also kept."""
        message = self.consumer.poll(seconds)
        if message is None:
            return None
        error = message.error()
        if error is None:
            self.messages.append(message)
        else:
            self.errors.append(error)
        return message

    def until(self, condition: Callable[[], object], what: str, *others: "Member", seconds: float = PATIENCE) -> None:
        """Poll, this one and `others` in turn, until `condition` holds."""

        def look() -> object:
            for member in (self, *others):
                member.poll(0.02)
            return condition()

        until(look, seconds, what, glance=0)

    def watch(self, seconds: float, *others: "Member") -> None:
        """Poll, this one and `others`, for a while in which nothing in particular is expected."""
        for _ in range(int(seconds / 0.02 / (1 + len(others)))):
            for member in (self, *others):
                member.poll(0.02)

    @property
    def values(self) -> list[bytes | None]:
        """The values of the records so far."""
        return [message.value() for message in self.messages]

    @property
    def codes(self) -> list[int]:
        """The codes of the errors so far."""
        return [error.code() for error in self.errors]

    def close(self) -> None:
        """Close it; may be called twice."""
        if self._open:
            self._open = False
            self.consumer.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _assigned(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        self._happens("assigned", partitions)
        self.partitions |= {one.partition for one in partitions}
        if self._on_assign:
            self._on_assign(consumer, partitions)

    def _revoked(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        self._happens("revoked", partitions)
        self.partitions -= {one.partition for one in partitions}
        if self._on_revoke:
            self._on_revoke(consumer, partitions)

    def _lost(self, _: Consumer, partitions: list[TopicPartition]) -> None:
        self._happens("lost", partitions)
        self.partitions -= {one.partition for one in partitions}

    def _happens(self, what: str, partitions: list[TopicPartition]) -> None:
        self.happened.append((what, tuple(sorted(one.partition for one in partitions))))

    def _on_commit(self, error: KafkaError | None, partitions: list[TopicPartition]) -> None:
        self.commits.append((error, partitions))
