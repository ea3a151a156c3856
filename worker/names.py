"""Which topics our partitions are of: the supervisor is asked, and its answer written to the board."""

from collections.abc import Callable, Iterable
from typing import Final

from .channel import Message
from .heritage import questions
from .partition import Partition
from .pulse import Pulse

FRESH: Final = 2.0
ASK_AGAIN: Final = 5.0
LOOK_AGAIN: Final = 0.1
"""Seconds between two looks whether an answer has come."""


class Names:
    """Has the board say which topic each partition is, and knows whether that is fresh enough to follow a board.

    An id that was learned before the first record was received can be old: if it was another topic's by then, nobody
    will find that topic again. Who follows a board has to know which topic it is now.
    """

    def __init__(self, pulse: Pulse, ask: Callable[[Message], None]) -> None:
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
