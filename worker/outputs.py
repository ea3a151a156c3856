"""Records on their way to the broker, counted per token: what a handler returned, and dead letters.

A broker refuses a batch as a whole for one record's fault (too large, invalid). So what was refused in company is sent
once more by a second producer, whose batches hold one record; only that answer counts against the record. A dead letter
that is too large is sent smaller.
"""

import logging
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from confluent_kafka import KafkaError, Producer

from . import clock
from .clientlog import LOGGER
from .deadletter import Letter
from .errors import Record
from .importing import resolve
from .lane import Entry, Lane, ProducerLike, Refused
from .spec import WorkerSpec

__all__ = ["MAX_RECORDS", "Delivery", "Outputs"]

MAX_RECORDS: Final = 10_000
"""Unacknowledged records above which `full` is set: a tenth of librdkafka's own queue."""
SLICE: Final = 0.1
"""Seconds of one wait inside librdkafka: signal handlers run between two of them."""
LOOKUP_SECONDS: Final = 1.0
"""For the number of partitions of a dead-letter topic that has fewer than its source; asked once per topic."""
ALONE: Final[Mapping[str, str | int]] = {"batch.num.messages": 1}

ProducerFactory = Callable[[Mapping[str, str | int]], ProducerLike]

_SIZE: Final = frozenset({KafkaError.MSG_SIZE_TOO_LARGE, KafkaError.RECORD_LIST_TOO_LARGE})
_COMPANY: Final = _SIZE | {KafkaError.INVALID_RECORD, KafkaError._INVALID_DIFFERENT_RECORD}  # noqa: SLF001 - public constants
_PERMANENT: Final = _COMPANY | {
    KafkaError.INVALID_MSG,
    KafkaError.INVALID_TIMESTAMP,
    KafkaError.TOPIC_EXCEPTION,
    KafkaError.POLICY_VIOLATION,
    KafkaError.UNSUPPORTED_FOR_MESSAGE_FORMAT,
    KafkaError._INVALID_ARG,  # noqa: SLF001
}
_FATAL: Final = KafkaError._FATAL  # noqa: SLF001
_UNKNOWN_PARTITION: Final = KafkaError._UNKNOWN_PARTITION  # noqa: SLF001


class Delivery(NamedTuple):
    """The end of one submit (a tuple: made once per record on the hot path).

    `error` is None once all of it is acknowledged. `permanent`: the same records would be refused again, whatever
    happens to the brokers.
    """

    token: object
    error: str | None = None
    permanent: bool = False


class Outputs:
    """Produces without ever blocking; every submit ends in exactly one `Delivery`, returned by `poll`.

    `producer_factory` makes a producer, given properties to override; none is made before the first record.
    """

    def __init__(self, spec: WorkerSpec, client_id: str, *, producer_factory: ProducerFactory | None = None) -> None:
        factory = producer_factory or _factory(spec, client_id)
        self._bulk = Lane(lambda: factory({}))
        self._alone = Lane(lambda: factory(ALONE))
        self._max_bytes = spec.max_in_flight_bytes
        self._settled: deque[Entry] = deque()
        self._deliveries: list[Delivery] = []
        self._partitions: dict[str, int] = {}
        self._records = 0
        self._bytes = 0
        self._closed = False
        self.pending = 0
        """Tokens submitted and not yet reported by `poll`."""

    @property
    def full(self) -> bool:
        """Whether to submit nothing more for now; a submit is taken all the same."""
        return self._records >= MAX_RECORDS or self._bytes >= self._max_bytes or self._bulk.blocked

    def submit(self, token: object, records: Sequence[Record]) -> None:
        """Produce `records`; what cannot be a record is reported as the token's failure."""
        self._begin(Entry(token, records, -1, self._settled.append), sum([_size(record) for record in records]))

    def submit_dead_letter(self, token: object, letter: Letter) -> None:
        """Produce `letter`, or the largest smaller one that the broker takes."""
        self._begin(Entry(token, (letter,), letter.partition, self._settled.append), _size(letter))

    def poll(self) -> list[Delivery]:
        """Return the deliveries since the last poll, without waiting."""
        self._collect()
        deliveries, self._deliveries = self._deliveries, []
        self.pending -= len(deliveries)
        return deliveries

    def flush(self, seconds: float) -> bool:
        """Wait until all is settled, at most `seconds`; return whether it is. `poll` has the deliveries."""
        deadline = clock.monotonic() + seconds
        self._collect()
        while self._records and (left := deadline - clock.monotonic()) > 0:
            self._bulk.flush(min(left, SLICE))
            self._alone.flush(min(left, SLICE))
            self._collect()
        return not self._records

    def close(self, seconds: float) -> None:
        """Flush for at most `seconds`, then fail the rest: one more `poll` has it all. What comes later is refused."""
        self.flush(seconds)
        self._closed = True
        self._bulk.close()
        self._alone.close()
        self._collect()

    def _begin(self, entry: Entry, size: int) -> None:
        self.pending += 1
        self._records += entry.left
        self._bytes += size
        entry.bytes = size
        if not entry.items:
            self._settled.append(entry)
        elif self._closed:
            self._report(entry, "the producer is closed", permanent=False)
        else:
            self._bulk.send(entry, entry.items)

    def _collect(self) -> None:
        self._bulk.poll()
        self._alone.poll()
        settled = self._settled
        while settled:
            entry = settled.popleft()
            if entry.failures:
                self._settle(entry)
            else:
                self._report(entry, None, permanent=False)

    def _settle(self, entry: Entry) -> None:
        """Some of `entry` failed: send that again in another way, if there is one, else report it."""
        failures, entry.failures = entry.failures, ()
        fatal = next((failure for failure in failures if _is_fatal(failure)), None)
        if fatal is not None and entry.lane is not None:
            entry.lane.replace(fatal.error)
        again = None if self._closed else self._again(entry, failures)
        if again is None:
            permanent = any(failure.code is None or failure.code in _PERMANENT for failure in failures)
            self._report(entry, _sentence(failures), permanent=permanent)
            return
        lane, items = again
        entry.left = len(items)
        lane.send(entry, items)

    def _again(self, entry: Entry, failures: Sequence[Refused]) -> "tuple[Lane, Sequence[Any]] | None":
        if entry.lane is self._bulk and all(failure.content and failure.code in _COMPANY for failure in failures):
            refused = {failure.content for failure in failures}
            return self._alone, [item for item in entry.items if _content(item) in refused] or entry.items
        letter = entry.items[0]
        if not isinstance(letter, Letter) or entry.lane is None:
            return None
        if failures[0].code in _SIZE:
            return self._smaller(entry, letter)
        if failures[0].code == _UNKNOWN_PARTITION:
            return self._elsewhere(entry, letter)
        return None

    def _smaller(self, entry: Entry, letter: Letter) -> "tuple[Lane, Sequence[Any]] | None":
        smaller = letter.smaller()
        if smaller is None or entry.lane is None:
            return None
        entry.items = (smaller,)
        return entry.lane, entry.items

    def _elsewhere(self, entry: Entry, letter: Letter) -> "tuple[Lane, Sequence[Any]] | None":
        if entry.partition != letter.partition:  # tried already
            return None
        count = self._partitions.get(letter.topic) or self._bulk.partitions(letter.topic, LOOKUP_SECONDS)
        if not count:
            return None
        self._partitions[letter.topic] = count
        entry.partition = letter.partition % count
        return self._bulk, entry.items

    def _report(self, entry: Entry, error: str | None, *, permanent: bool) -> None:
        self._records -= len(entry.items)
        self._bytes -= entry.bytes
        self._deliveries.append(Delivery(entry.token, error, permanent))


def _factory(spec: WorkerSpec, client_id: str) -> ProducerFactory:
    from .properties import producer_properties  # noqa: PLC0415

    def make(overrides: Mapping[str, str | int]) -> ProducerLike:
        properties = producer_properties(spec.kafka, client_id=client_id)
        if spec.kafka.oauth is not None:
            properties["oauth_cb"] = resolve(spec.kafka.oauth, spec.pythonpath)
        # The consumer's client log has its handler there; without a logger librdkafka writes to standard error itself.
        logger = logging.getLogger(LOGGER)
        return Producer({**properties, **overrides}, logger=logger)

    return make


def _size(item: Record | Letter) -> int:
    value = item.value
    return len(value) if isinstance(value, (bytes, str)) else 0


def _content(item: Record | Letter) -> tuple[str, bytes | None, bytes | None]:
    value, key = (part.encode() if isinstance(part, str) else part for part in (item.value, item.key))
    return item.topic, key, value


def _is_fatal(failure: Refused) -> bool:
    return isinstance(failure.error, KafkaError) and (failure.error.code() == _FATAL or failure.error.fatal())


def _sentence(failures: Sequence[Refused]) -> str:
    first = failures[0].error
    text = f"{first.str()} ({first.name()})" if isinstance(first, KafkaError) else first
    return text if len(failures) == 1 else f"{text}, and {len(failures) - 1} more"
