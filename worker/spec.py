"""All that a worker is told: frozen values, built by the supervisor from its settings, read by every child.

Durations are seconds as float, sizes are bytes. Strings are resolved: no `${ENV}`, no `file:`, no `auto` is left.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

GroupProtocol = Literal["classic", "consumer"]


@dataclass(frozen=True, slots=True)
class KafkaSpec:
    """How to reach the brokers and as what to join.

    `client`, `consumer` and `producer` are librdkafka properties as configured (presets already merged in,
    defaults of kherd not yet: `worker.properties` adds those).
    """

    bootstrap: str
    group: str
    topics: tuple[str, ...]
    start: Literal["earliest", "latest", "error"] = "earliest"
    group_protocol: GroupProtocol = "classic"
    static_membership: bool = False
    embedded: bool = False
    oauth: str | None = None
    # Passwords are among them: not in a traceback, not in a log.
    client: Mapping[str, str] = field(default_factory=dict, repr=False)
    consumer: Mapping[str, str] = field(default_factory=dict, repr=False)
    producer: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class ErrorSpec:
    """What to do with a handler's exceptions; `poison` and `outage` hold "module:Class" names."""

    max_attempts: int = 10
    backoff_initial: float = 1.0
    backoff_max: float = 60.0
    on_exhausted: Literal["hold", "dead_letter"] = "dead_letter"
    poison: tuple[str, ...] = ()
    outage: tuple[str, ...] = ()
    max_crashes: int = 3


@dataclass(frozen=True, slots=True)
class DeadLetterSpec:
    """Where dead letters go; `{topic}` in `topic` is the source topic's name."""

    topic: str = "dlq.{topic}"
    create: bool = True
    format: Literal["headers", "json"] = "headers"


@dataclass(frozen=True, slots=True)
class BreakerSpec:
    """What the configuration says of a circuit breaker in place of the code; None: nothing."""

    failure_threshold: int | None = None
    timeout: float | None = None


@dataclass(frozen=True, slots=True)
class LogSpec:
    """How log lines look: `format` is already resolved from `auto`."""

    format: Literal["text", "json"] = "json"
    level: Literal["debug", "info", "warning", "error"] = "info"


@dataclass(frozen=True, slots=True)
class WorkerSpec:
    """One generation's workers; equal for every slot of it."""

    app: str
    instance: str | None
    generation: int
    handler: str
    kafka: KafkaSpec
    pythonpath: tuple[str, ...] = ()
    preload: bool = True
    mode: Literal["record", "batch"] = "record"
    batch_size: int = 500
    batch_wait: float = 0.0
    max_in_flight: int = 2000
    max_in_flight_bytes: int = 16 * 1024 * 1024
    concurrency: int = 1
    order: Literal["partition", "key", "none"] = "partition"
    bisect: bool = True
    handler_timeout: float = 20.0
    stop_timeout: float = 25.0
    commit_interval: float = 0.1
    errors: ErrorSpec = field(default_factory=ErrorSpec)
    dead_letter: DeadLetterSpec = field(default_factory=DeadLetterSpec)
    breakers: Mapping[str, BreakerSpec] = field(default_factory=dict)
    log: LogSpec = field(default_factory=LogSpec)

    @property
    def group(self) -> str:
        """The consumer group."""
        return self.kafka.group


@dataclass(frozen=True, slots=True)
class SlotIdentity:
    """Who one worker process is: unique per process within the supervisor's life.

    `life` is drawn at random when a supervisor starts; `incarnation` counts the processes of a slot from 1.
    """

    life: int
    slot: int
    incarnation: int


def instance_id(app: str, instance: str, slot: int) -> str:
    """Return the `group.instance.id` of `slot`: the same for every process that fills the slot, on this host."""
    return f"{app}-{instance}-{slot}"
