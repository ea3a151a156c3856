"""All that a service child is told: frozen values, built by the supervisor from its settings."""

from dataclasses import dataclass

from ...worker.spec import DeadLetterSpec, KafkaSpec


@dataclass(frozen=True, slots=True)
class LiaisonSpec:
    """What the liaison watches. Intervals are seconds.

    `count_members`: report who is in the group as well, every `lag_interval`; not on the embedded broker, and not where
    death notices are off. `kafka.bootstrap` is the embedded broker's address once it is known; `pythonpath` is where
    `kafka.oauth` is imported from; `worker_count` sizes the topics that are created on the embedded broker.
    """

    app: str
    kafka: KafkaSpec
    worker_count: int
    dead_letter: DeadLetterSpec
    lag_interval: float = 5.0
    topics_interval: float = 30.0
    count_members: bool = False
    client_id: str = "kherd-liaison"
    pythonpath: tuple[str, ...] = ()
