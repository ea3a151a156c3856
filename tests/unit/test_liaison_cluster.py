"""Questions about many partitions: in chunks, within one limit, and what one chunk lacks is missing, not zero."""

from collections.abc import Sequence

import pytest
from confluent_kafka import TopicPartition

from kherd.supervisor.children.liaison.cluster import CHUNK, Read, _read, isolation_of
from kherd.supervisor.children.liaison.handle import AskError, Key
from kherd.worker import clock
from kherd.worker.spec import KafkaSpec

KEYS = [("orders", number) for number in range(2 * CHUNK + 7)]


class Broker:
    """Answers with the partition's number as its offset; `silent` partitions cost their chunk, `bent` have a row."""

    def __init__(self, silent: Sequence[Key] = (), bent: dict[Key, TopicPartition] | None = None) -> None:
        self.silent = set(silent)
        self.bent = bent or {}
        self.chunks: list[int] = []
        self.deadlines: set[float] = set()

    def ask(self, keys: Sequence[Key], deadline: float) -> list[TopicPartition]:
        self.chunks.append(len(keys))
        self.deadlines.add(deadline)
        if self.silent & set(keys):
            raise AskError("timed out")
        return [self.bent.get(key, TopicPartition(*key, key[1])) for key in keys]


def test_every_partition_is_asked_once_in_chunks_by_one_deadline() -> None:
    broker = Broker()
    read = _read(broker.ask, KEYS, 5.0)
    assert read == Read({key: key[1] for key in KEYS})
    assert broker.chunks == [CHUNK, CHUNK, 7]
    assert CHUNK <= 1000
    (deadline,) = broker.deadlines
    assert deadline <= clock.monotonic() + 5.0


def test_a_chunk_without_an_answer_is_missing_and_the_others_are_kept() -> None:
    read = _read(Broker(silent=[KEYS[CHUNK]]).ask, KEYS, 5.0)
    assert read.offsets.keys() == set(KEYS) - set(KEYS[CHUNK : 2 * CHUNK])
    assert read.reason == "timed out"


def test_no_offset_is_a_failure_unless_it_means_no_commit() -> None:
    broker = Broker(bent={("orders", 3): TopicPartition("orders", 3, -1001)})
    read = _read(broker.ask, KEYS[:5], 5.0)
    assert ("orders", 3) not in read.offsets
    assert read.reason == "orders[3]: no offset"
    read = _read(broker.ask, KEYS[:5], 5.0, uncommitted=True)
    assert read.offsets["orders", 3] is None
    assert read.reason is None


@pytest.mark.parametrize(
    ("consumer", "client", "level"),
    [
        ({}, {}, "read_committed"),
        ({"isolation.level": "read_uncommitted"}, {}, "read_uncommitted"),
        ({}, {"isolation.level": "read_uncommitted"}, "read_uncommitted"),
        ({"isolation.level": "read_committed"}, {"isolation.level": "read_uncommitted"}, "read_committed"),
    ],
)
def test_the_workers_isolation_level_is_asked_with(
    consumer: dict[str, str], client: dict[str, str], level: str
) -> None:
    assert isolation_of(KafkaSpec("b:1", "g", (), consumer=consumer, client=client)) == level
