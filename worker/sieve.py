"""What leaves out the records that an earlier owner has finished: they are received again, up to where it was."""

from collections.abc import Sequence
from typing import Any

from confluent_kafka import Message

from .decide.offsets import Offsets


class Sieve:
    """For one assignment that begins at `base`: `offsets` know what is finished."""

    __slots__ = ("_offsets", "_position", "_until")

    def __init__(self, offsets: Offsets, base: int) -> None:
        self._offsets = offsets
        self._until = offsets.frontier or base
        self._position = base

    @property
    def passed(self) -> bool:
        """Whether all that could be left out has been received."""
        return self._position > self._until

    def unfinished(self, messages: Sequence[Any]) -> list[Message]:
        """Return those of `messages`, received next, that are not finished; what they show to be gone is passed."""
        left = []
        for message in messages:
            offset = message.offset()
            self._offsets.absent(self._position, offset)
            self._position = max(self._position, offset + 1)
            if not self._offsets.is_done(offset):
                left.append(message)
        return left
