"""Fetching: poll for the first record (its latency), then consume for the rest of a batch (its throughput)."""

from collections.abc import Iterator, Sequence
from enum import Enum
from itertools import groupby
from typing import Any, Final

from confluent_kafka import KafkaError, Message

from . import events, log
from .boardwriter import BoardWriter
from .clientlog import Reset
from .counters import Counter
from .inbox import Inbox, Run
from .kafka import FATAL, Client
from .partition import Partition, size_of
from .partitions import Partitions
from .seldom import Seldom
from .spec import WorkerSpec

SAMPLED: Final = 16
"""Every how many fetches the sizes of the records are looked at."""
_IGNORED: Final = frozenset({KafkaError._PARTITION_EOF})  # noqa: SLF001 - public constants
_NO_START: Final = KafkaError._AUTO_OFFSET_RESET  # noqa: SLF001
_UNRELEASED: Final = KafkaError(KafkaError.UNRELEASED_INSTANCE_ID).str()
_FENCED: Final = KafkaError(KafkaError.FENCED_INSTANCE_ID).str()


class Fault(Enum):
    """Why a consumer is of no use any more."""

    UNRELEASED = "unreleased"
    """KIP-848: a dead member still holds our instance id; a new consumer may join once it is released."""
    DEAF = "deaf"
    """It is not in the group, and no broker answers it; another consumer may be answered."""
    FENCED = "fenced"
    """Another process has our instance id."""
    FATAL = "fatal"
    """Anything else that librdkafka calls fatal."""
    NO_START = "no_start"
    """kafka.start = "error", and there is no offset to start from."""


class ConsumerFaultError(Exception):
    """The consumer has ended for good."""

    def __init__(self, fault: Fault, reason: str) -> None:
        super().__init__(reason)
        self.fault = fault
        self.reason = reason


class Fetcher:
    """Fills the inbox."""

    def __init__(
        self,
        *,
        spec: WorkerSpec,
        client: Client,
        partitions: Partitions,
        inbox: Inbox,
        board: BoardWriter,
    ) -> None:
        self._spec = spec
        self._client = client
        self._partitions = partitions
        self._inbox = inbox
        self._board = board
        self._seldom = Seldom()
        self._backlog = False
        """Whether the last fetch was full."""
        self._fetches = 0
        self._mean_size = 0.0
        self._rest = spec.batch_size - 1
        self._one_topic = len(spec.kafka.topics) == 1 and not spec.kafka.topics[0].startswith("^")

    def fetch(self, seconds: float) -> None:
        """Wait up to `seconds` for a record, then take what is there, up to a batch.

        Raises:
            ConsumerFaultError: there will be no more.
        """
        first = self._client.poll(seconds)
        if first is not None and not self._is_error(first):
            self._board.words[_BATCHES] += 1
            self._fill(first)
        if self._client.log.resets:
            self._report_resets()

    def again(self) -> bool:
        """After a full batch take the next without waiting; return whether there was anything. Raises as `fetch`."""
        if not self._backlog:
            return False
        messages = self._client.consume(self._rest + 1, 0)
        self._backlog = len(messages) > self._rest
        self._add(messages)
        self._board.words[_BATCHES] += bool(messages)
        if self._client.log.resets:
            self._report_resets()
        return bool(messages)

    def look(self) -> None:
        """Serve callbacks between two records; a record that comes with it joins the inbox."""
        message = self._client.poll(0)
        if message is not None:
            self._add([message])

    def _fill(self, first: Message) -> None:
        """Add `first` and what is there behind it, up to a batch."""
        owner, version = self._owner(first), self._partitions.version
        messages = self._client.consume(self._rest, 0) if self._rest else []
        self._backlog = len(messages) >= self._rest
        if version == self._partitions.version:
            self._add([first, *messages])
        else:  # partitions were moved meanwhile: the first record is of the epoch before that
            if owner is not None and owner.owned:
                self._take_in(owner, [first])
            self._add(messages)

    def _owner(self, message: Any) -> Partition | None:
        return self._partitions.get(message.topic(), message.partition())

    def _add(self, messages: Sequence[Message]) -> None:
        """Sort `messages` into runs; what belongs to nobody was revoked while it was on its way."""
        if any(map(Message.error, messages)):
            messages = [message for message in messages if not self._is_error(message)]
        if not messages:
            return
        self._count(messages)
        for topic, number, same in self._runs(messages):
            partition = self._partitions.get(topic, number)
            if partition is not None:
                self._take_in(partition, same)

    def _take_in(self, partition: Partition, messages: Sequence[Message]) -> None:
        if partition.sifting:  # what is left out may be the last that kept the commit from moving
            self._partitions.dirty.add(partition)
        if left := partition.received(messages):
            self._inbox.append(Run(partition, left))

    def _count(self, messages: Sequence[Message]) -> None:
        self._fetches += 1
        if self._fetches % SAMPLED == 1:
            self._mean_size = size_of(messages) / len(messages)
        words = self._board.words
        words[_FETCHED] += len(messages)
        words[_FETCHED_BYTES] += int(len(messages) * self._mean_size)

    def _runs(self, messages: Sequence[Message]) -> Iterator[tuple[str, int, Sequence[Message]]]:
        topic: Any
        number: Any
        numbers = list(map(Message.partition, messages))
        if self._one_topic and numbers.count(numbers[0]) == len(numbers):  # a backlog is delivered so
            yield messages[0].topic() or "", numbers[0] or 0, messages
            return
        for number, same in groupby(messages, Message.partition):
            if self._one_topic:
                run = list(same)
                yield run[0].topic() or "", number, run
            else:
                for topic, group in groupby(same, Message.topic):
                    yield topic, number, list(group)

    def _is_error(self, message: Message) -> bool:
        error = message.error()
        if error is None:
            return False
        code, text = error.code(), error.str()
        if code == FATAL:
            raise ConsumerFaultError(_fault(text), text)
        if code == _NO_START:
            where = f"{message.topic()}[{message.partition()}]"
            raise ConsumerFaultError(Fault.NO_START, f'kafka.start = "error", and {where} has nowhere to start: {text}')
        if code not in _IGNORED and self._seldom((code, message.topic(), message.partition())):
            log.emit(events.CLIENT_ERROR, code=error.name(), text=text, topic=message.topic())
        return True

    def _report_resets(self) -> None:
        resets, self._client.log.resets = self._client.log.resets, []
        answering = True
        for reset in resets:
            marks = self._client.watermarks((reset.topic, reset.partition)) if answering else None
            answering = marks is not None
            log.emit(events.OFFSET_OUT_OF_RANGE, **self._gap(reset, marks))

    def _gap(self, reset: Reset, marks: tuple[int, int] | None) -> dict[str, object]:
        where = {"topic": reset.topic, "partition": reset.partition, "position": reset.offset}
        if marks is None:
            return {**where, "gap": "an unknown number of", "offset": self._spec.kafka.start}
        goes_on = marks[1] if self._spec.kafka.start == "latest" else marks[0]
        return {**where, "gap": max(0, goes_on - reset.offset), "offset": goes_on}


_FETCHED: Final = int(Counter.FETCHED)
_FETCHED_BYTES: Final = int(Counter.FETCHED_BYTES)
_BATCHES: Final = int(Counter.BATCHES)


def _fault(text: str) -> Fault:
    """Tell fatal errors apart: of the cause the binding passes on nothing but librdkafka's sentence."""
    if _UNRELEASED in text:
        return Fault.UNRELEASED
    return Fault.FENCED if _FENCED in text else Fault.FATAL
