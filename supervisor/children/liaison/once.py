"""The lag of a group, read once and directly: for a group that no daemon of ours watches."""

from dataclasses import dataclass
from typing import Final

from ....worker import clock
from ....worker.spec import DeadLetterSpec, KafkaSpec
from ...decide.lag import Lag, measure
from ...decide.topics import Subscription, resolve
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
    cluster = Cluster(cluster_properties(kafka, CLIENT_ID, pythonpath), isolation_of(kafka))
    topics = kafka.topics or tuple(cluster.committed_topics(kafka.group, seconds))
    subscription = Subscription(topics, dead_letter, whole=kafka.group_protocol == "consumer")
    resolved = resolve(subscription, cluster.topics(seconds))
    keys = keys_of(resolved.topics)
    positions, reason = Reader(cluster, kafka.group).read(keys) if keys else ([], None)
    return Reading(measure(positions, kafka.start), clock.wall(), resolved.missing, reason)
