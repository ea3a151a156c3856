"""The lag of a group, read once and directly: for a group that no daemon of ours watches."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from ....worker import clock
from ....worker.spec import DeadLetterSpec, KafkaSpec
from ...decide.lag import Lag, measure
from ...decide.topics import INTERNAL_PREFIX, Subscription, Topic, resolve
from .client import cluster_properties
from .cluster import Cluster, isolation_of
from .lag import Reader, keys_of

CLIENT_ID: Final = "kherd-lag"
DEAD_LETTER: Final = DeadLetterSpec().topic


@dataclass(frozen=True, slots=True)
class Reading:
    """`at`: seconds since the epoch; `missing` topics do not exist; `reason`: why partitions are unknown."""

    lag: Lag
    at: float
    missing: tuple[str, ...]
    reason: str | None


def read_lag(
    kafka: KafkaSpec,
    *,
    dead_letter: str = DEAD_LETTER,
    pythonpath: tuple[str, ...] = (),
    seconds: float = 10.0,
) -> Reading:
    """Return the lag of `kafka.group` on `kafka.topics`, or, if that is empty, on every topic it has committed.

    `seconds` limits each question: the topics, and (with limits of their own) committed, end and start offsets.

    Raises:
        ClusterError: no broker answered, or the group may not be read.
        HandlerError: `kafka.oauth` cannot be imported.
    """
    cluster = Cluster(cluster_properties(kafka, CLIENT_ID, pythonpath), kafka.group, isolation_of(kafka))
    existing = cluster.topics(seconds)
    topics = kafka.topics or _committed_topics(cluster, kafka.group, existing, seconds)
    subscription = Subscription(topics, dead_letter, whole=kafka.group_protocol == "consumer")
    resolved = resolve(subscription, existing)
    keys = keys_of(resolved.topics)
    positions, reason = Reader(cluster, kafka.group).read(keys) if keys else ([], None)
    return Reading(measure(positions, kafka.start), clock.wall(), resolved.missing, reason)


def _committed_topics(cluster: Cluster, group: str, existing: Sequence[Topic], seconds: float) -> tuple[str, ...]:
    keys = keys_of([topic for topic in existing if not topic.name.startswith(INTERNAL_PREFIX)])
    read = cluster.committed(group, keys, seconds)
    return tuple(sorted({name for (name, _), offset in read.offsets.items() if offset is not None}))
