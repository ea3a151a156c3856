"""Ratios with their spread: this is what a measurement on a shared machine may claim. Pure."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Final, Literal

RESAMPLES: Final = 2000
TAIL: Final = 0.025
"""Cut off at each end: what is left is a 95 % interval."""

Verdict = Literal["met", "missed", "inconclusive"]


@dataclass(frozen=True, slots=True)
class Ratio:
    """The median of paired ratios and its bootstrap interval."""

    median: float
    low: float
    high: float

    def verdict(self, promise: float) -> Verdict:
        """Return what the interval says about "at least `promise`"."""
        if self.low >= promise:
            return "met"
        return "missed" if self.high < promise else "inconclusive"


def ratio(ours: Sequence[float], theirs: Sequence[float], rng: random.Random) -> Ratio:
    """Return the ratio of two contenders' speeds, paired by round; the interval is a percentile bootstrap.

    Raises:
        ValueError: no rounds, or not the same number of both.
    """
    pairs = [one / other for one, other in zip(ours, theirs, strict=True)]
    if not pairs:
        raise ValueError("a ratio needs at least one round")
    medians = sorted(median(rng.choices(pairs, k=len(pairs))) for _ in range(RESAMPLES))
    cut = int(RESAMPLES * TAIL)
    return Ratio(median(pairs), medians[cut], medians[-1 - cut])
