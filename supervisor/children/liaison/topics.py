"""What the subscription means just now, and that its dead-letter topics exist."""

import math
from collections.abc import Callable, Mapping
from typing import Any, Final, Protocol

from ....worker import clock, events, log
from ....worker.channel import MAX_MESSAGE
from ....worker.spec import KafkaSpec
from ...decide.topics import Resolved, Subscription, Topic, resolve, unusable, wanted_partitions
from ..spec import LiaisonSpec
from .cluster import ClusterError
from .mailbox import Mailbox, send

TIMEOUT: Final = 5.0
RETRY: Final = 2.0
"""Seconds to the next look while something is missing."""
RETRY_EMBEDDED: Final = 0.1
"""The embedded broker creates what it is asked for within milliseconds."""
PATIENCE_EMBEDDED: Final = 5.0
"""Seconds after which a topic that the embedded broker still has not created is a problem."""
REMIND: Final = 300.0
"""Seconds after which a topic that is still missing is logged again."""
EMBEDDED_PARTITIONS: Final = 8
REPORT_LIMIT: Final = MAX_MESSAGE // 2


class Topics(Protocol):
    """What of a Cluster is asked here."""

    def topics(self, seconds: float) -> list[Topic]:
        """Return every topic."""

    def create_topic(self, name: str, partitions: int, replication: int, seconds: float) -> bool:
        """Create one; whether it is new."""


class TopicWatch:
    """Looks at the cluster's topics when told to; reports `ready` once, then `topics` on each change."""

    def __init__(
        self, spec: LiaisonSpec, cluster: Topics, mailbox: Mailbox, now: Callable[[], float] = clock.monotonic
    ) -> None:
        self._spec = spec
        self._interval = min(spec.topics_interval, refresh_interval(spec.kafka))
        self._cluster = cluster
        self._mailbox = mailbox
        self._now = now
        whole = spec.kafka.group_protocol == "consumer"
        self._subscription = Subscription(spec.kafka.topics, spec.dead_letter.topic, whole)
        self._reported: tuple[object, ...] = ()
        self._warned: dict[str, tuple[str, float]] = {}
        self._asked: set[str] = set()
        self._began = now()
        self.topics: tuple[Topic, ...] = ()
        self.dead_letters: tuple[Topic, ...] = ()
        self.ready = False

    def look(self) -> float:
        """Look once and return the seconds until the next look is due.

        Raises:
            ClusterError: no broker answered.
        """
        existing = {topic.name: topic for topic in self._cluster.topics(TIMEOUT)}
        resolved = resolve(self._subscription, list(existing.values()))
        problems = {name: self._missing(name) for name in resolved.missing}
        problems |= {name: f"not a regex: {reason}" for name, reason in unusable(self._subscription).items()}
        if not resolved.topics and not problems:
            problems[", ".join(self._spec.kafka.topics)] = "nothing matches yet; create the topic"
        dead_letters, refused = self._dead_letters(resolved, existing)
        problems |= refused
        self.topics, self.dead_letters = resolved.topics, dead_letters
        self._warn(problems)
        return self._report(problems)

    def _missing(self, name: str) -> str:
        if self._spec.kafka.embedded:
            self._ask(name, max(EMBEDDED_PARTITIONS, self._spec.worker_count))
            return "the embedded broker was asked to create it"
        return (
            "create it (kafka-topics.sh --create), or correct kafka.topics; its partitions are taken up once it exists"
        )

    def _dead_letters(
        self, resolved: Resolved, existing: Mapping[str, Topic]
    ) -> tuple[tuple[Topic, ...], dict[str, str]]:
        there: list[Topic] = []
        refused: dict[str, str] = {}
        for name, sources in resolved.dead_letters.items():
            partitions, replication = wanted_partitions(sources)
            if name in existing:
                there.append(existing[name])
                continue
            reason = self._create(name, partitions, replication)
            if reason is None:
                there.append(Topic(name, partitions, replication))
            else:
                refused[name] = reason
        return tuple(there), refused

    def _create(self, name: str, partitions: int, replication: int) -> str | None:
        """Return why dead-letter topic `name` could not be created; None: it exists now."""
        if not self._spec.dead_letter.create:
            return f"dead_letter.create is off: create it with {partitions} partitions, or dead letters cannot be kept"
        if self._spec.kafka.embedded:
            self._ask(name, partitions)
            return "the embedded broker was asked to create it"
        try:
            if self._cluster.create_topic(name, partitions, replication, TIMEOUT):
                log.emit(events.TOPIC_CREATED, topic=name, partitions=partitions)
        except ClusterError as error:
            return f"kherd could not create it ({error}): create it with {partitions} partitions"
        return None

    def _ask(self, name: str, partitions: int) -> None:
        if name not in self._asked:
            self._asked.add(name)
            send(self._mailbox, "create_topic", topic=name, partitions=partitions)

    def _warn(self, problems: Mapping[str, str]) -> None:
        now = self._now()
        for name in self._warned.keys() - problems.keys():
            del self._warned[name]
        for name, reason in problems.items():
            before, at = self._warned.get(name, ("", 0.0))
            if self._spec.kafka.embedded and not before:
                self._warned[name] = (reason, now - REMIND + PATIENCE_EMBEDDED)
            elif reason != before or now - at >= REMIND:
                self._warned[name] = (reason, now)
                log.emit(events.TOPIC_MISSING, topic=name, reason=reason)

    def _report(self, problems: Mapping[str, str]) -> float:
        if self._spec.kafka.embedded and problems and not self.ready and self._now() - self._began < PATIENCE_EMBEDDED:
            return RETRY_EMBEDDED
        state = (self.topics, self.dead_letters, dict(problems))
        if state != self._reported:
            self._reported = state
            send(self._mailbox, "topics" if self.ready else "ready", **self._facts(problems))
            self.ready = True
        if not problems:
            return self._interval
        return min(RETRY, self._interval)

    def _facts(self, problems: Mapping[str, str]) -> dict[str, Any]:
        """Return what fits into a message; `partitions` counts all of them even where the list is cut."""
        return {
            "topics": _cut({topic.name: topic.partitions for topic in self.topics}),
            "dead_letter_topics": list(_cut({topic.name: 0 for topic in self.dead_letters})),
            "missing": _cut(dict(problems)),
            "partitions": sum(topic.partitions for topic in self.topics),
        }


def refresh_interval(kafka: KafkaSpec) -> float:
    """Return seconds: workers find new topics this often if it is configured, and dead letters need theirs as soon."""
    configured = {**kafka.client, **kafka.consumer}.get("topic.metadata.refresh.interval.ms")
    milliseconds = int(configured) if configured is not None else -1
    return max(RETRY, milliseconds / 1000) if milliseconds > 0 else math.inf


def _cut(rows: dict[str, Any]) -> dict[str, Any]:
    """Return the first rows, as many as a third of a message holds; only a regex over thousands of topics has more."""
    left = REPORT_LIMIT // 3
    result = {}
    for name, value in rows.items():
        left -= len(name) + len(str(value)) + 8
        if left < 0:
            break
        result[name] = value
    return result
