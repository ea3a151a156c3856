"""What the supervisor has said of failures: which kinds are taken for an outage, and what becomes of single records.

Messages: `outages` (`open`: the fingerprints of all such kinds), and, each with a record's `topic`, `partition` and
`offset`: `put_aside`, `hold` (`reason`: why it is not put aside), `probe` (try it once now).
"""

from collections.abc import Iterator
from typing import Final

from .channel import Message

_OF_RECORDS: Final = frozenset({"put_aside", "hold", "probe"})


class Rulings:
    """Kept from when they are heard until the loop looks."""

    def __init__(self) -> None:
        self.open: frozenset[str] = frozenset()
        """Fingerprints of failures that are taken for an outage."""
        self._mail: list[Message] = []

    def take(self, message: Message) -> bool:
        """Take a message in; return whether it is one of these."""
        if message["type"] == "outages":
            self.open = frozenset(map(str, message["open"]))
            return True
        if message["type"] in _OF_RECORDS:
            self._mail.append(message)
            return True
        return False

    def collect(self) -> Iterator[tuple[Message, tuple[str, int, int]]]:
        """Yield what was said of single records since the last call, each with its topic, partition and offset."""
        mail, self._mail = self._mail, []
        for message in mail:
            yield message, (str(message["topic"]), int(message["partition"]), int(message["offset"]))
