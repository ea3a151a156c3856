"""What the supervisor tells a worker of the dead: their boards' entries, and which topics the names mean.

Messages: `orphans` (`first`: forget what was told before; `entries`), and `identities` (`cluster`; `topics`: name to id
in hexadecimal digits, or None; `at`: monotonic seconds at which that was asked for). A worker asks for the latter with
`identify` (`topics`).
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from .channel import Message
from .decide.handover import Entry, Identity, decode, encode, identity_of
from .decide.pressure import Key
from .partition import Partition

if TYPE_CHECKING:  # it holds a Heritage
    from .pulse import Pulse

ENTRIES_PER_MESSAGE: Final = 200
"""Each takes up to 600 bytes, with the longest topic name."""
TOPICS_PER_MESSAGE: Final = 400
FRESH: Final = 2.0
ASK_AGAIN: Final = 5.0
LOOK_AGAIN: Final = 0.1
"""Seconds between two looks whether an answer has come."""


@dataclass(slots=True)
class Heritage:
    """The newest of what was told. `asked_at`: by topic, when it was asked which one that is."""

    entries: dict[Key, list[Entry]] = field(default_factory=dict)
    identities: dict[str, Identity] = field(default_factory=dict)
    asked_at: dict[str, float] = field(default_factory=dict)

    def take_orphans(self, message: Message) -> None:
        """Take an `orphans` message in."""
        if message["first"]:
            self.entries = {}
        for entry in map(decode, message["entries"]):
            self.entries.setdefault((entry.topic, entry.partition), []).append(entry)

    def take_identities(self, message: Message) -> None:
        """Take an `identities` message in."""
        for topic, topic_id in message["topics"].items():
            identity = identity_of(message["cluster"], topic_id) if topic_id and message["cluster"] else None
            self.identities.pop(topic, None)
            if identity is not None:
                self.identities[topic] = identity
            self.asked_at[topic] = message["at"]


def orphans(entries: Sequence[Entry]) -> Iterator[Message]:
    """Yield the `orphans` messages that tell `entries` and nothing else."""
    for first in range(0, max(1, len(entries)), ENTRIES_PER_MESSAGE):
        part = entries[first : first + ENTRIES_PER_MESSAGE]
        yield {"type": "orphans", "first": first == 0, "entries": [encode(entry) for entry in part]}


def questions(topics: Iterable[str]) -> Iterator[Message]:
    """Yield the `identify` messages that ask which `topics` these are."""
    names = sorted(topics)
    for first in range(0, len(names), TOPICS_PER_MESSAGE):
        yield {"type": "identify", "topics": names[first : first + TOPICS_PER_MESSAGE]}


class Names:
    """Has the board say which topic each partition is, and knows whether that is fresh enough to follow a board.

    An id that was learned before the first record was received can be old: if it was another topic's by then, nobody
    will find that topic again. Who follows a board has to know which topic it is now.
    """

    def __init__(self, pulse: "Pulse", ask: Callable[[Message], None]) -> None:
        self._pulse = pulse
        self._ask = ask
        self._asked: dict[str, float] = {}
        self._look_at = 0.0
        self.missing: set[Partition] = set()
        """Partitions of topics that are not known yet."""

    def name(self, partitions: Iterable[Partition], now: float) -> None:
        """Note which topics `partitions` are of, as soon as that is known."""
        identities = self._pulse.heritage.identities
        for one in partitions:
            if (identity := identities.get(one.topic)) is not None:
                one.identify(identity)
            else:
                self.missing.add(one)
        self._inquire({one.topic for one in self.missing}, now, ASK_AGAIN)

    def look(self, now: float) -> None:
        """Learn what is missing."""
        if self.missing and now >= self._look_at:
            self._look_at = now + LOOK_AGAIN
            missing, self.missing = self.missing, set()
            self.name((one for one in missing if one.owned), now)

    def fresh(self, topic: str, now: float) -> bool:
        """Return whether it is known which topic `topic` was at most FRESH seconds ago; ask if not."""
        heritage = self._pulse.heritage
        if topic in heritage.identities and now - heritage.asked_at[topic] < FRESH:
            return True
        self._inquire({topic}, now, FRESH / 4)
        return False

    def _inquire(self, topics: Iterable[str], now: float, gap: float) -> None:
        due = [topic for topic in topics if now - self._asked.get(topic, -gap) >= gap]
        self._asked |= dict.fromkeys(due, now)
        for message in questions(due):
            self._ask(message)
