"""A consumer whose group, log and coordinator are the test's: everything happens inside polls, as with librdkafka."""

from collections.abc import Callable, Sequence
from typing import Any

from confluent_kafka import OFFSET_BEGINNING, OFFSET_END, KafkaError, KafkaException, Message, TopicPartition

TOPIC = "orders"
Handed = Callable[[object, list[TopicPartition]], None]


class FakeGroup:
    """One topic and one group, with one member: what is written, what is committed, what the member hears next."""

    def __init__(self, partitions: int) -> None:
        self.log: dict[int, list[Message]] = {number: [] for number in range(partitions)}
        self.ends = dict.fromkeys(range(partitions), 0)
        self.committed: dict[int, Any] = dict.fromkeys(range(partitions), 0)
        self.metadata: dict[int, str] = {}
        self.starts = dict.fromkeys(range(partitions), 0)
        self.epochs = dict.fromkeys(range(partitions), 0)
        self.failing: dict[str, bool] = {}
        """Questions that get no answer."""
        self.asked: list[str] = []
        self.commits: list[dict[int, int]] = []
        self.news: list[tuple[str, list[int]]] = []
        self.refusing = False
        self.metadata_limit = 4096
        self.silent = False
        self.pauses_last = True
        """Whether a pause outlives a revocation."""

    def write(self, partition: int, value: bytes, gap: int = 0) -> int:
        offset = self.ends[partition] + gap
        self.log[partition].append(Message(topic=TOPIC, partition=partition, offset=offset, value=value))
        self.ends[partition] = offset + 1
        return offset


class FakeConsumer:
    """To be made by a `Client`, through `factory`."""

    def __init__(self, group: FakeGroup, properties: dict[str, Any]) -> None:
        self.group = group
        self.positions: dict[int, int] = {}
        self.paused: set[int] = set()
        self._on_commit = properties["on_commit"]
        self._handed: dict[str, Handed] = {}
        self._answers: list[tuple[KafkaError | None, list[TopicPartition]]] = []
        self._chosen: dict[int, int] = {}
        self.closed = False

    def subscribe(self, topics: Sequence[str], **handed: Handed) -> None:
        assert topics == [TOPIC]
        self._handed = handed

    def poll(self, seconds: float) -> Message | None:
        self._serve()
        found = self._take(1)
        return found[0] if found else None

    def consume(self, limit: int, seconds: float) -> list[Message]:
        self._serve()
        return self._take(limit)

    def commit(self, *, offsets: list[TopicPartition], asynchronous: bool) -> list[TopicPartition] | None:
        assert all(at.partition in self.positions for at in offsets), "a commit of a partition that is not ours"
        error = KafkaError(KafkaError.REBALANCE_IN_PROGRESS) if self.group.refusing else None
        if any(len(at.metadata or "") > self.group.metadata_limit for at in offsets):
            error = KafkaError(KafkaError.OFFSET_METADATA_TOO_LARGE)
        if error is None:
            self.group.commits.append({at.partition: at.offset for at in offsets})
            for at in offsets:
                self.group.committed[at.partition] = at.offset
                self.group.metadata[at.partition] = at.metadata or ""
        if asynchronous:
            self._answers.append((error, offsets))
            assert len(self._answers) == 1, "more than one commit in flight"
            return None
        if error is not None:
            raise KafkaException(error)
        return offsets

    def committed(self, partitions: list[TopicPartition], timeout: float) -> list[TopicPartition]:
        self._ask("committed")
        found = [(at.partition, self.group.committed[at.partition]) for at in partitions]
        rows = [(number, -1001 if at is None else at, self.group.metadata.get(number, "")) for number, at in found]
        return [TopicPartition(TOPIC, *row) for row in rows]

    def offsets_for_times(self, partitions: list[TopicPartition], timeout: float) -> list[TopicPartition]:
        which = {at.offset for at in partitions}
        assert which in ({OFFSET_END}, {OFFSET_BEGINNING})
        self._ask("ends" if which == {OFFSET_END} else "starts")
        offsets = self.group.ends if which == {OFFSET_END} else self.group.starts
        rows = [(at.partition, offsets[at.partition], "", self.group.epochs[at.partition]) for at in partitions]
        return [TopicPartition(TOPIC, *row) for row in rows]

    def incremental_assign(self, partitions: list[TopicPartition]) -> None:
        self._chosen = {at.partition: at.offset for at in partitions if at.offset >= 0}

    def _ask(self, what: str) -> None:
        self.group.asked.append(what)
        if self.group.failing.get(what):
            raise KafkaException(KafkaError(KafkaError._TIMED_OUT))

    def pause(self, partitions: list[TopicPartition]) -> None:
        self.paused |= {at.partition for at in partitions}

    def resume(self, partitions: list[TopicPartition]) -> None:
        self.paused -= {at.partition for at in partitions}

    def memberid(self) -> str:
        return "member"

    def close(self) -> None:
        self.closed = True
        if self.positions:
            self._hand("on_revoke", list(self.positions))

    def _serve(self) -> None:
        if not self.group.silent:
            while self._answers:
                self._on_commit(*self._answers.pop())
        news, self.group.news = self.group.news, []
        for kind, numbers in news:
            self._hand(kind, numbers)

    def _hand(self, kind: str, numbers: list[int]) -> None:
        numbers = [one for one in numbers if (one in self.positions) != (kind == "on_assign")]
        if kind == "on_assign":
            for number in numbers:
                self.positions[number] = -1
                if not self.group.pauses_last:
                    self.paused.discard(number)
        self._chosen = {}
        self._handed[kind](self, [TopicPartition(TOPIC, number) for number in numbers])
        if kind == "on_assign":
            for number in numbers:
                at = self._chosen.get(number, self.group.committed[number])
                self.positions[number] = self.group.ends[number] if at is None else at
        if kind != "on_assign":
            for number in numbers:
                del self.positions[number]

    def _take(self, limit: int) -> list[Message]:
        found: list[Message] = []
        for number in self.positions:
            if number in self.paused:
                continue
            for message in self.group.log[number]:
                offset = message.offset()
                assert offset is not None
                if offset >= self.positions[number] and len(found) < limit:
                    found.append(message)
                    self.positions[number] = offset + 1
        return found
