"""Where is measured: the embedded broker, brokers of our own, or a given Kafka; topics are made and deleted there."""

import contextlib
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Literal
from xml.etree import ElementTree as ET

from confluent_kafka import KafkaException

from ..supervisor.children.broker.library import EmbeddedBrokerError
from ..testing.embedded import EmbeddedCluster
from ..testing.jars import POM
from ..testing.kafka import KafkaCluster, KafkaError
from ..testing.parts import MissingPartError
from ..testing.topics import Cluster
from .jobs import said
from .result import Broker

PREFIX: Final = "kherd-bench-"
COPIES: Final = 3
ANSWER: Final = 10.0
RETENTION_MS: Final = str(6 * 3_600_000)
"""Of a topic that could not be deleted."""
NAMESPACE: Final = "{http://maven.apache.org/POM/4.0.0}"


class BenchError(Exception):
    """The bench cannot go on; the text says what is wrong and what to do."""


@dataclass(frozen=True, slots=True)
class Place:
    """A cluster, and what it is."""

    cluster: Cluster
    broker: Broker

    @property
    def embedded(self) -> bool:
        """Whether it is librdkafka's mock."""
        return self.broker.kind == "embedded"

    @property
    def harness(self) -> KafkaCluster | None:
        """The brokers, if they are ours to kill and there are enough of them."""
        return self.cluster if isinstance(self.cluster, KafkaCluster) and self.broker.replication >= COPIES else None

    @contextlib.contextmanager
    def topic(self, partitions: int) -> Iterator[str]:
        """Have a fresh topic; it is deleted afterwards, except on the embedded broker, which cannot."""
        name = f"{PREFIX}{uuid.uuid4().hex[:12]}"
        try:
            if self.embedded:
                self.cluster.create_topic(name, partitions)
            else:
                settings = {"min_insync_replicas": str(self.broker.min_insync), "retention_ms": RETENTION_MS}
                self.cluster.create_topic(name, partitions, self.broker.replication, **settings)
            yield name
        except (KafkaException, TimeoutError) as error:
            raise BenchError(f"topic {name}: {said(error)}") from error
        finally:
            self._delete(name)

    def _delete(self, name: str) -> None:
        if not self.embedded:
            # It expires by its retention: not worth losing what was measured.
            with contextlib.suppress(KafkaException, TimeoutError):
                self.cluster.delete_topic(name)


class Given(Cluster):
    """Somebody's Kafka, with the client properties it wants."""

    def __init__(self, bootstrap: str, client: Mapping[str, str]) -> None:
        super().__init__(bootstrap)
        self._client = dict(client)

    def client_properties(self, user: str | None = None) -> dict[str, str]:
        """Return what every client of the bench needs."""
        del user
        return {"bootstrap.servers": self.bootstrap, **self._client}


@contextlib.contextmanager
def embedded() -> Iterator[Place]:
    """Run the embedded broker."""
    try:
        cluster = EmbeddedCluster().open()
    except (TimeoutError, EmbeddedBrokerError) as error:
        raise BenchError(f"the embedded broker did not start: {error}") from error
    with contextlib.closing(cluster):
        yield Place(cluster, Broker(kind="embedded", brokers=1, replication=1, min_insync=1))


@contextlib.contextmanager
def harness(brokers: int, replication: int | None) -> Iterator[Place]:
    """Run a real Kafka of `brokers` brokers on this machine.

    Raises:
        BenchError: no JDK, no Maven, or it did not start.
    """
    try:
        cluster = KafkaCluster(brokers).open()
    except MissingPartError as error:
        raise BenchError(f"{error}; or measure with --quick, or give --bootstrap") from error
    except KafkaError as error:
        raise BenchError(f"the brokers did not start: {error}") from error
    with contextlib.closing(cluster):
        yield Place(cluster, _broker("harness", brokers, replication, kafka_version()))


@contextlib.contextmanager
def given(bootstrap: str, client: Mapping[str, str], replication: int | None) -> Iterator[Place]:
    """Use the Kafka at `bootstrap`.

    Raises:
        BenchError: no broker answers, or there are too few of them.
    """
    cluster = Given(bootstrap, client)
    try:
        brokers = len(cluster.admin().list_topics(timeout=ANSWER).brokers)
    except (KafkaException, ValueError) as error:
        raise BenchError(
            f"no broker of {bootstrap} answers within {ANSWER:g} s ({said(error)}): "
            "check the address, and what it wants of clients (-X security.protocol=…)"
        ) from error
    cluster.size = brokers
    yield Place(cluster, _broker("given", brokers, replication, None))


def kafka_version() -> str | None:
    """Return the version of Apache Kafka that the harness runs."""
    return ET.parse(POM).findtext(f"{NAMESPACE}properties/{NAMESPACE}kafka.version")  # noqa: S314 - our own file


def _broker(kind: Literal["harness", "given"], brokers: int, replication: int | None, version: str | None) -> Broker:
    copies = min(COPIES, brokers) if replication is None else replication
    if copies > brokers:
        raise BenchError(f"load.replication: {copies} copies need as many brokers, there are {brokers}")
    return Broker(kind=kind, brokers=brokers, replication=copies, min_insync=max(1, copies - 1), version=version)
