"""The lag of a group, read directly: for a group that no daemon of ours watches. It never joins the group."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from ....worker import clock
from ....worker.spec import DeadLetterSpec, KafkaSpec
from ...decide.lag import Lag, document, measure
from ...decide.topics import INTERNAL_PREFIX, Resolved, Subscription, Topic, resolve
from .client import cluster_properties
from .cluster import Cluster, ClusterError, isolation_of
from .lag import Reader, keys_of

CLIENT_ID: Final = "kherd-lag"
DEAD_LETTER: Final = DeadLetterSpec().topic
SECONDS: Final = 10.0
TOPICS_EVERY: Final = 30.0
"""Seconds between two looks at what topics there are, when lag is read again and again."""
LAST_WORDS: Final = 0.1
"""Seconds to hear why there was no answer: librdkafka tells it apart from the timeout."""


@dataclass(frozen=True, slots=True)
class Reading:
    """`at`: seconds since the epoch; `missing` topics do not exist; `reason`: why partitions are unknown."""

    lag: Lag
    at: float
    missing: tuple[str, ...]
    reason: str | None

    @property
    def committed(self) -> bool:
        """Whether the group has committed anything of what was read."""
        return any(position.committed is not None for position, _ in self.lag.partitions)

    def document(self) -> dict[str, Any]:
        """Return the lag document; of a reading with a `reason` it tells what could be read, unknowns included."""
        return document(self.lag, at=clock.iso(self.at), valid=self.reason is None, reason=self.reason)


class Onlooker:
    """Reads the lag of `kafka.group` on `kafka.topics`, or, if that is empty, on every topic it has committed.

    `seconds` limits each question: the topics, and (with limits of their own) committed, end and start offsets.
    """

    def __init__(
        self,
        kafka: KafkaSpec,
        *,
        dead_letter: str = DEAD_LETTER,
        pythonpath: tuple[str, ...] = (),
        seconds: float = SECONDS,
    ) -> None:
        """Make the client; nothing is asked yet.

        Raises:
            KafkaException: librdkafka refuses a property.
            HandlerError: `kafka.oauth` cannot be imported.
        """
        self._kafka = kafka
        self._dead_letter = dead_letter
        self._seconds = seconds
        self._cluster = Cluster(cluster_properties(kafka, CLIENT_ID, pythonpath), kafka.group, isolation_of(kafka))
        self._reader = Reader(self._cluster, kafka.group)
        self._resolved: Resolved | None = None
        self._resolved_at = 0.0

    def read(self) -> Reading:
        """Read everything once.

        Raises:
            ClusterError: no broker answered, or the group may not be read.
        """
        now = clock.monotonic()
        if self._resolved is None or now - self._resolved_at >= TOPICS_EVERY:
            self._resolved, self._resolved_at = self._resolve(), now
        keys = keys_of(self._resolved.topics)
        positions, reason = self._reader.read(keys) if keys else ([], None)
        return Reading(measure(positions, self._kafka.start), clock.wall(), self._resolved.missing, reason)

    def _resolve(self) -> Resolved:
        kafka = self._kafka
        self._cluster.serve(0)  # an oauth token is fetched here
        try:
            existing = self._cluster.topics(self._seconds)
        except ClusterError as error:
            self._cluster.serve(LAST_WORDS)
            heard = self._cluster.heard.partition(" (after ")[0]
            raise ClusterError(f"no broker of {kafka.bootstrap} answers: {heard or error}") from error
        topics = kafka.topics or self._committed_topics(existing)
        return resolve(Subscription(topics, self._dead_letter, whole=kafka.group_protocol == "consumer"), existing)

    def _committed_topics(self, existing: Sequence[Topic]) -> tuple[str, ...]:
        keys = keys_of([topic for topic in existing if not topic.name.startswith(INTERNAL_PREFIX)])
        read = self._cluster.committed(self._kafka.group, keys, self._seconds)
        if read.reason is not None:  # what could not be read is not what was not committed
            raise ClusterError(f"the offsets of group {self._kafka.group!r} cannot be read: {read.reason}")
        return tuple(sorted({name for (name, _), offset in read.offsets.items() if offset is not None}))
