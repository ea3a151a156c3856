"""When each record is due, and how late its delivery was. Pure; times are nanoseconds of one monotonic clock.

The schedule is fixed before the first record: one that is stalled does not move those behind it, so that their wait
counts (no coordinated omission).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

SECOND: Final = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Schedule:
    """`rate` records per second from `start` on: record i (from 0) is due at start + i / rate."""

    start: int
    rate: int

    def due(self, number: int) -> int:
        """Return when record `number` is due."""
        return self.start - (-number * SECOND // self.rate)

    def due_by(self, now: int) -> int:
        """Return how many records are due at `now`."""
        return max(0, (now - self.start) * self.rate // SECOND + 1)

    def latencies(self, times: Sequence[int], first: int = 0) -> list[float]:
        """Return seconds from due to `times`, sorted, for records from `first` on; a time of 0 or less is none."""
        late = [time - self.due(number) for number, time in enumerate(times) if number >= first and time > 0]
        return [one / SECOND for one in sorted(late)]


def quantile(ordered: Sequence[float], share: float) -> float:
    """Return the smallest value that `share` of the values do not exceed (nearest rank).

    Raises:
        ValueError: no values.
    """
    if not ordered:
        raise ValueError("no values, no quantile")
    rank = -(-round(len(ordered) * share * 1e6) // 1_000_000)
    return ordered[min(len(ordered), max(1, rank)) - 1]
