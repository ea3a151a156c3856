"""What the brokers say of a configuration: each finding is a line with what to do. Talks to Kafka."""

import logging
from collections.abc import Container, Iterator, Sequence
from typing import Any, Final, Literal

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient
from kafka.errors import KafkaError as PythonKafkaError
from kafka.net.manager import KafkaConnectionManager
from kafka.net.selector import NetworkSelector

from ...worker.errors import HandlerError
from ...worker.spec import GroupProtocol, WorkerSpec
from ..children.liaison.client import cluster_properties, messenger_config
from ..children.liaison.cluster import Cluster, ClusterError, isolation_of
from ..children.liaison.mapping import UnmappableError
from ..children.liaison.requests import ConsumerGroupHeartbeatRequest
from ..decide.topics import Resolved, Subscription, Topic, resolve, wanted_partitions

CLIENT: Final = "kherd-check"
PATIENCE: Final = 5.0
"""Seconds for each question."""
SAFE_REPLICAS: Final = 3
"""With two, one broker down leaves one copy, and min.insync.replicas = 2 refuses every write."""
MOST: Final = 2_000
"""Partitions whose committed offsets are asked for: whether it is allowed shows with few."""
Level = Literal["ok", "warn", "fail"]
Finding = tuple[Level, str]


Question = tuple[WorkerSpec, int]
"""What the workers are told, and how many shall have something to do."""


def look(question: Question) -> list[Finding]:
    """Return what was found; after brokers that do not answer there is nothing more to ask."""
    spec, _ = question
    logging.getLogger("kafka").addHandler(logging.NullHandler())
    hint = "see kafka.bootstrap, and security.protocol in [kafka.client]"
    try:
        properties = cluster_properties(spec.kafka, CLIENT, spec.pythonpath)
        said = _unreachable(properties)
        if said:
            return [("fail", f"brokers: none of {spec.kafka.bootstrap} answers: {said}; {hint}")]
        cluster = Cluster(properties, spec.kafka.group, isolation_of(spec.kafka))
        cluster.serve(0)  # an oauth token is fetched here
        existing = cluster.topics(PATIENCE)
        group = list(_group(cluster, spec, existing))
    except (ClusterError, KafkaException, HandlerError) as error:
        return [("fail", f"brokers: {error}; {hint}")]
    return [("ok", "brokers: they answer"), *_topics(question, existing), *group, *_notices(spec)]


def _unreachable(properties: dict[str, Any]) -> str:
    """Return why no broker answers, in librdkafka's words, each broker's newest; empty if one does."""
    said: dict[str, str] = {}

    def hear(error: KafkaError) -> None:
        if error.code() != KafkaError._ALL_BROKERS_DOWN:  # noqa: SLF001 - it is confluent-kafka's public name
            broker, _, reason = error.str().partition(": ")
            said[broker.partition("/")[0]] = reason.partition(" (after ")[0]

    admin = AdminClient({**properties, "error_cb": hear})  # type: ignore[dict-item]  # its types leave callbacks out
    admin.poll(0)
    try:
        admin.list_topics(timeout=PATIENCE)
    except KafkaException as error:
        admin.poll(0.1)
        return "; ".join(f"{broker}: {reason}" for broker, reason in said.items()) or str(error.args[0].str())
    return ""


def _topics(question: Question, existing: Sequence[Topic]) -> Iterator[Finding]:
    spec, count = question
    whole = spec.kafka.group_protocol == "consumer"
    resolved = resolve(Subscription(spec.kafka.topics, spec.dead_letter.topic, whole), existing)
    for name in resolved.missing:
        yield "fail", f"topic {name}: does not exist; create it (kafka-topics.sh --create), or correct kafka.topics"
    if not resolved.topics and not resolved.missing:
        yield "warn", "topics: no topic matches kafka.topics yet; those that come later are taken up"
    for topic in resolved.topics:
        yield "ok", f"topic {topic.name}: {_some(topic.partitions, 'partition')}, {_some(topic.replication, 'replica')}"
        yield from _replicas(topic)
    partitions = sum(topic.partitions for topic in resolved.topics)
    if resolved.topics and partitions < count:
        idle = f"{count} workers for {_some(partitions, 'partition')}: {count - partitions} will have no work"
        yield "warn", f"workers.count: {idle}; lower the count or add partitions"
    yield from _dead_letters(spec, resolved, {topic.name: topic for topic in existing})


def _replicas(topic: Topic) -> Iterator[Finding]:
    if topic.replication < SAFE_REPLICAS:
        few = f"has {_some(topic.replication, 'replica')}: a broker's loss stops it or loses records"
        yield "warn", f"topic {topic.name}: {few}; {SAFE_REPLICAS} are safe"


def _dead_letters(spec: WorkerSpec, resolved: Resolved, existing: dict[str, Topic]) -> Iterator[Finding]:
    for name, sources in resolved.dead_letters.items():
        if name in existing:
            yield "ok", f"dead-letter topic {name}: exists"
            yield from _replicas(existing[name])
            continue
        partitions, replicas = wanted_partitions(sources)
        planned = f"with {_some(partitions, 'partition')} and {_some(replicas, 'replica')}"
        if spec.dead_letter.create:
            yield "ok", f"dead-letter topic {name}: is created at start, {planned}"
        else:
            yield (
                "fail",
                f"dead-letter topic {name}: does not exist, and dead_letter.create is off; create it {planned}",
            )


def _group(cluster: Cluster, spec: WorkerSpec, existing: Sequence[Topic]) -> Iterator[Finding]:
    whole = spec.kafka.group_protocol == "consumer"
    topics = resolve(Subscription(spec.kafka.topics, spec.dead_letter.topic, whole), existing).topics
    keys = [(topic.name, number) for topic in topics for number in range(topic.partitions)][:MOST]
    if not keys:
        return
    read = cluster.committed(spec.group, keys, PATIENCE)
    if read.reason is not None:
        yield "fail", f"group {spec.group}: its offsets cannot be read: {read.reason}; see the ACLs of the group"
        return
    committed = sum(offset is not None for offset in read.offsets.values())
    yield (
        "ok",
        f"group {spec.group}: has offsets of {committed} of {len(keys)} partitions; others begin at {spec.kafka.start}",
    )


def _notices(spec: WorkerSpec) -> Iterator[Finding]:
    """Whether kafka-python can connect too, and what the brokers speak: it alone tells their API versions."""
    protocol = spec.kafka.group_protocol
    try:
        versions = _versions(spec)
    except (UnmappableError, HandlerError, PythonKafkaError) as error:
        what = "a worker that dies is noticed at its session timeout only" + (
            "; whether the brokers know KIP-848 could not be found out" if protocol == "consumer" else ""
        )
        yield "warn", f"death notices: cannot be sent: {error}; {what}"
        return
    yield "ok", "death notices: can be sent"
    yield supports(protocol, versions)


def supports(protocol: GroupProtocol, versions: Container[int]) -> Finding:
    """Return whether brokers with these APIs (by key) know the group protocol."""
    if protocol == "consumer" and ConsumerGroupHeartbeatRequest.API_KEY not in versions:
        return "fail", 'kafka.group_protocol: these brokers do not know KIP-848: use "classic", or brokers from 4.0'
    return "ok", f"group protocol {protocol}: supported"


def _some(count: int, what: str) -> str:
    return f"{count} {what}" + ("" if count == 1 else "s")


def _versions(spec: WorkerSpec) -> dict[int, Any]:
    """Return what the brokers support, by API key."""
    config = messenger_config(spec.kafka, CLIENT, spec.pythonpath)
    net = NetworkSelector(client_id=CLIENT)
    manager = KafkaConnectionManager(net, **config)
    try:
        manager.bootstrap(int(PATIENCE * 1000))
        known = manager.broker_version_data
        return {} if known is None else dict(known.api_versions or {})
    finally:
        manager.close()
