"""How long handler calls take: the buckets of a histogram. Pure.

Bounds are upper and inclusive, as Prometheus has them. A bucket counts what lies above the bound before it, so that
each count only ever grows, whatever is read beside it.
"""

from bisect import bisect_left
from collections.abc import Iterable
from itertools import accumulate
from typing import Final

BOUNDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
"""Seconds; the last bucket, above the last bound, has no end."""
SLOW: Final = BOUNDS[0]
"""Calls that take no longer are not looked at one by one."""
NAMES: Final = ("quick", *(f"over_{bound * 1000:g}ms" for bound in BOUNDS))
"""What the buckets are called in the status document."""


def bucket(seconds: float) -> int:
    """Return the index of the bucket that a call of `seconds` falls into."""
    return bisect_left(BOUNDS, seconds)


def cumulate(counts: Iterable[int]) -> list[int]:
    """Return how many calls took no longer than each of `BOUNDS`, then how many there were, from a count per bucket."""
    return list(accumulate(counts))
