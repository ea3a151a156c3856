"""What became of the records: nothing is claimed of a trial whose numbers do not add up. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

PENDING: Final = 0
DELIVERED: Final = 1
FAILED: Final = 2
"""What the client said of a record: nothing, acknowledged (acks=0: written to the socket), given up."""


@dataclass(frozen=True, slots=True)
class Account:
    """A trial by counts: taken by produce(), reported delivered, reported failed, offsets the topic grew by."""

    produced: int
    delivered: int
    failed: int
    written: int

    @property
    def conserved(self) -> bool:
        """Whether the client reported on every record, once."""
        return self.produced == self.delivered + self.failed

    @property
    def lost(self) -> int:
        """Reported delivered, but not in the topic: at least so many, for duplicates hide losses."""
        return max(0, self.delivered - self.written)

    @property
    def surplus(self) -> int:
        """In the topic beyond what was reported: duplicates, or records that were given up and yet written."""
        return max(0, self.written - self.delivered)


@dataclass(frozen=True, slots=True)
class Findings:
    """A topic read back, record by record."""

    produced: int
    delivered: int
    failed: int
    lost: int
    """Reported delivered, and not there."""
    duplicated: int
    """Copies beyond the first."""
    undead: int
    """Reported failed, and there."""


def compare(said: Sequence[int], copies: Sequence[int]) -> Findings:
    """Return what the client said of each record against how often each is in the topic.

    Raises:
        ValueError: not of the same records.
    """
    pairs = list(zip(said, copies, strict=True))
    return Findings(
        produced=len(pairs),
        delivered=sum(one == DELIVERED for one, _ in pairs),
        failed=sum(one == FAILED for one, _ in pairs),
        lost=sum(one == DELIVERED and not found for one, found in pairs),
        duplicated=sum(max(0, found - 1) for _, found in pairs),
        undead=sum(one == FAILED and found > 0 for one, found in pairs),
    )
