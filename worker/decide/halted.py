"""Which partitions an operator has paused, as the supervisor tells its workers."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .pressure import Key


@dataclass(frozen=True, slots=True)
class Halted:
    """Everything, or whole topics and single partitions: of those nothing is begun."""

    everything: bool = False
    topics: frozenset[str] = frozenset()
    partitions: frozenset[Key] = frozenset()

    def covers(self, key: Key) -> bool:
        """Whether the partition is paused."""
        return self.everything or key[0] in self.topics or key in self.partitions


def encode(halted: Halted) -> dict[str, Any]:
    """Return its message: {"type": "paused", "everything": bool, "topics": [name], "partitions": {name: [number]}}."""
    partitions: dict[str, list[int]] = {}
    for topic, number in sorted(halted.partitions):
        partitions.setdefault(topic, []).append(number)
    return {
        "type": "paused",
        "everything": halted.everything,
        "topics": sorted(halted.topics),
        "partitions": partitions,
    }


def decode(message: Mapping[str, Any]) -> Halted:
    """Return what a message of `encode` says."""
    return Halted(
        everything=message["everything"],
        topics=frozenset(message["topics"]),
        partitions=frozenset((topic, number) for topic, numbers in message["partitions"].items() for number in numbers),
    )
