"""What the embedded broker is told, by the supervisor or by `kherd broker`."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class BrokerSpec:
    """A cluster that starts with `topics`, partitions by topic name, shared by `brokers` brokers."""

    topics: Mapping[str, int] = field(default_factory=dict)
    brokers: int = 1
