"""Workers with a topic, a handler and a ledger of what it did, on any cluster.

A handler's source may use `note(message)`, which appends "partition offset attempt" to the ledger in one write, and
`switch(name)`, which tells whether the test has switched `name` on.
"""

import itertools
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from confluent_kafka import Consumer, Message, Producer, TopicPartition

from kherd.testing.topics import Cluster, committed
from kherd.worker.spec import ErrorSpec, KafkaSpec, LogSpec, WorkerSpec

from .workers import Worker, workers

PRELUDE = """
import os, time
from pathlib import Path
from kherd import ProcessingError, Record, Results, Retry, Skip, context
_here = Path(__file__).parent
_ledger = os.open(_here / "ledger", os.O_WRONLY | os.O_APPEND | os.O_CREAT)
def note(message, what="did"):
    os.write(_ledger, b"%s %d %d %d\\n" % (what.encode(), message.partition(), message.offset(), context().attempt))
def switch(name):
    return (_here / f"on-{name}").exists()
"""


@dataclass(frozen=True)
class Note:
    """One line of the ledger."""

    what: str
    partition: int
    offset: int
    attempt: int


class Scene:
    """A topic, a group, a handler, workers."""

    def __init__(self, folder: Path, start: Callable[..., Worker], cluster: Cluster, name: str, protocol: str) -> None:
        self.folder = folder
        self.cluster = cluster
        self.name = name
        self.group = f"{name}-group"
        self.protocol = protocol
        self.partitions = 0
        self._start = start
        self._modules = itertools.count()
        self._handler = ""

    def topic(self, partitions: int = 4, *, dead_letters: bool = False) -> None:
        """Create the topic, and its dead-letter topic."""
        self.partitions = partitions
        self.cluster.create_topic(self.name, partitions)
        if dead_letters:
            self.cluster.create_topic(f"dlq.{self.name}", partitions)

    def handler(self, source: str, attribute: str = "handle") -> None:
        """Write the handler's module."""
        module = f"handler_{self.name.replace('-', '_').replace('.', '_')}_{next(self._modules)}"
        (self.folder / f"{module}.py").write_text(PRELUDE + source)
        self._handler = f"{module}:{attribute}"

    def spec(self, **fields: Any) -> WorkerSpec:
        """Return a spec; `kafka` and `errors` are dicts of fields."""
        embedded = type(self.cluster).__name__ == "EmbeddedCluster" or not hasattr(self.cluster, "admin")
        kafka: dict[str, Any] = {"topics": (self.name,), "group_protocol": self.protocol, "embedded": embedded}
        kafka |= fields.pop("kafka", {})
        errors = {"backoff_initial": 0.05, "backoff_max": 0.2} | fields.pop("errors", {})
        own: dict[str, Any] = {"app": self.name, "instance": None, "generation": 1, "stop_timeout": 5.0}
        return WorkerSpec(
            **own
            | {"handler": self._handler, "pythonpath": (str(self.folder),), "log": LogSpec(level="debug")}
            | fields,
            kafka=KafkaSpec(bootstrap=self.cluster.bootstrap, group=self.group, **kafka),
            errors=ErrorSpec(**errors),
        )

    def worker(self, slot: int = 0, incarnation: int = 1, **fields: Any) -> Worker:
        """Start a worker and let it join."""
        worker = self._start(self.spec(**fields), slot, incarnation)
        worker.go()
        return worker

    def boot(self, slot: int = 0, incarnation: int = 1, **fields: Any) -> Worker:
        """Start a worker that waits at the barrier."""
        return self._start(self.spec(**fields), slot, incarnation)

    def feed(
        self, count: int, *, value: Callable[[int], bytes | None] = lambda n: b"%d" % n, at: int | None = None
    ) -> None:
        """Produce `count` records to the partitions in turn, or to partition `at`."""
        producer = Producer({"bootstrap.servers": self.cluster.bootstrap, "linger.ms": 1, "log_level": 0})
        for index in range(count):
            producer.produce(self.name, value(index), partition=index % self.partitions if at is None else at)
        assert producer.flush(20) == 0

    def switch(self, name: str, on: bool = True) -> None:
        """Switch something on that the handler asks about."""
        path = self.folder / f"on-{name}"
        path.touch() if on else path.unlink(missing_ok=True)

    @property
    def ledger(self) -> list[Note]:
        """What the handler noted, in order, by all workers."""
        path = self.folder / "ledger"
        rows = [line.split() for line in path.read_text().splitlines()] if path.exists() else []
        return [Note(what, int(partition), int(offset), int(attempt)) for what, partition, offset, attempt in rows]

    def did(self, partition: int | None = None) -> list[tuple[int, int]]:
        """(partition, offset) of what was done, in order."""
        return [
            (note.partition, note.offset)
            for note in self.ledger
            if note.what == "did" and partition in {None, note.partition}
        ]

    @property
    def committed(self) -> dict[int, int]:
        """Committed offsets of the group; partitions without one are missing."""
        return {at.partition: at.offset for at in self.commits() if at.offset >= 0}

    def commits(self) -> list[TopicPartition]:
        """What the group has committed, metadata included."""
        wanted = [TopicPartition(self.name, number) for number in range(self.partitions)]
        return committed({"bootstrap.servers": self.cluster.bootstrap, "log_level": "0"}, self.group, wanted)

    def read(self, topic: str) -> list[Message]:
        """Return all records of a topic that has as many partitions as ours."""
        own = {"bootstrap.servers": self.cluster.bootstrap, "group.id": "reader", "fetch.wait.max.ms": 10}
        consumer = Consumer({**own, "isolation.level": "read_uncommitted"})
        there = [TopicPartition(topic, number, 0) for number in range(self.partitions)]
        marks = [consumer.get_watermark_offsets(one, timeout=10) for one in there]
        count = sum(high - low for low, high in marks)
        consumer.assign(there)
        found: list[Message] = []
        for _ in range(100):
            if len(found) >= count:
                break
            found += consumer.consume(count - len(found), 0.1)
        consumer.close()
        assert [message.error() for message in found] == [None] * count
        return found


@contextmanager
def scene(folder: Path, cluster: Cluster, name: str, protocol: str = "consumer") -> Iterator[Scene]:
    """Give a scene whose workers are gone at the end."""
    with ExitStack() as stack:
        start = stack.enter_context(workers(folder))
        yield Scene(folder, start, cluster, name, protocol)
