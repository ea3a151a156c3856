"""What the supervisor tells a worker of the dead: their boards' entries, and which topics the names mean.

Messages: `orphans` (`first`: forget what was told before; `entries`), and `identities` (`topics`: name to the words of
an `Identity`, or None; `at`: monotonic seconds at which that was asked for). A worker asks for the latter with
`identify` (`topics`).
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from .channel import Message
from .decide.handover import Entry, Identity, decode, encode
from .decide.pressure import Key

ENTRIES_PER_MESSAGE: Final = 80
"""Each takes up to 2,000 bytes, with the longest topic name, a full window and attempts."""
TOPICS_PER_MESSAGE: Final = 400


@dataclass(slots=True)
class Heritage:
    """The newest of what was told. `asked_at`: by topic, when it was asked which one that is."""

    entries: dict[Key, list[Entry]] = field(default_factory=dict)
    identities: dict[str, Identity] = field(default_factory=dict)
    asked_at: dict[str, float] = field(default_factory=dict)

    def take(self, message: Message) -> None:
        """Take an `orphans` or `identities` message in."""
        if message["type"] == "orphans":
            self.take_orphans(message)
        else:
            self.take_identities(message)

    def take_orphans(self, message: Message) -> None:
        """Take an `orphans` message in."""
        if message["first"]:
            self.entries = {}
        for entry in map(decode, message["entries"]):
            self.entries.setdefault((entry.topic, entry.partition), []).append(entry)

    def take_identities(self, message: Message) -> None:
        """Take an `identities` message in."""
        for topic, words in message["topics"].items():
            self.identities.pop(topic, None)
            if words is not None:
                self.identities[topic] = Identity(*words)
            self.asked_at[topic] = message["at"]


def orphans(entries: Sequence[Entry]) -> Iterator[Message]:
    """Yield the `orphans` messages that tell `entries` and nothing else."""
    for first in range(0, max(1, len(entries)), ENTRIES_PER_MESSAGE):
        part = entries[first : first + ENTRIES_PER_MESSAGE]
        yield {"type": "orphans", "first": first == 0, "entries": [encode(entry) for entry in part]}


def identities(topics: Mapping[str, Identity | None], at: float) -> Iterator[Message]:
    """Yield the `identities` messages that tell which `topics` there are."""
    names = sorted(topics)
    for first in range(0, len(names), TOPICS_PER_MESSAGE):
        part = {name: topics[name] for name in names[first : first + TOPICS_PER_MESSAGE]}
        words = {name: one and [one.cluster, one.high, one.low] for name, one in part.items()}
        yield {"type": "identities", "topics": words, "at": at}


def questions(topics: Iterable[str]) -> Iterator[Message]:
    """Yield the `identify` messages that ask which `topics` these are."""
    names = sorted(topics)
    for first in range(0, len(names), TOPICS_PER_MESSAGE):
        yield {"type": "identify", "topics": names[first : first + TOPICS_PER_MESSAGE]}
