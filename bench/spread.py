"""Figures and ratios with their spread: this is what a measurement on a shared machine may claim. Pure."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Final, Literal

RESAMPLES: Final = 2000
TAIL: Final = 0.025
"""Cut off at each end: what is left is a 95 % interval."""

LEAST_ROUNDS: Final = 3
"""An interval over fewer says nothing."""

Verdict = Literal["met", "missed", "inconclusive"]


@dataclass(frozen=True, slots=True)
class Spread:
    """A median and its bootstrap interval."""

    median: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Ratio(Spread):
    """The median of paired ratios and its bootstrap interval."""

    def verdict(self, promise: float) -> Verdict:
        """Return what the interval says about "at least `promise`"."""
        if self.low >= promise:
            return "met"
        return "missed" if self.high < promise else "inconclusive"


def spread(values: Sequence[float], rng: random.Random) -> Spread:
    """Return the median of `values` and a percentile bootstrap of it.

    Raises:
        ValueError: no values.
    """
    if not values:
        raise ValueError("a median needs at least one value")
    return Spread(median(values), *interval(values, median, rng))


def interval(
    values: Sequence[float], statistic: Callable[[Sequence[float]], float], rng: random.Random
) -> tuple[float, float]:
    """Return a 95 % percentile bootstrap of what `statistic` says of `values`, of which there must be some."""
    found = sorted(statistic(rng.choices(values, k=len(values))) for _ in range(RESAMPLES))
    cut = int(RESAMPLES * TAIL)
    return found[cut], found[-1 - cut]


def ratio(ours: Sequence[float], theirs: Sequence[float], rng: random.Random) -> Ratio:
    """Return the ratio of two contenders' speeds, paired by round, as `spread` does.

    Raises:
        ValueError: no rounds, or not the same number of both.
    """
    pairs = [one / other for one, other in zip(ours, theirs, strict=True)]
    if not pairs:
        raise ValueError("a ratio needs at least one round")
    found = spread(pairs, rng)
    return Ratio(found.median, found.low, found.high)


def drift(controls: Sequence[float]) -> float | None:
    """Return how far the later half of a repeated measurement lies from the earlier, as a share; None of fewer than 2.

    By medians of the halves: drift of the machine, not its noise, which is in the intervals.
    """
    half = len(controls) // 2
    if not half:
        return None
    earlier, later = median(controls[:half]), median(controls[-half:])
    return abs(later - earlier) / earlier if earlier else None
