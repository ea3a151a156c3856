"""A promise, what was measured of it, and whether it was kept. Pure."""

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import fmean, median
from typing import Any, Final, Literal

from ..schedule import quantile
from ..spread import LEAST_ROUNDS, Verdict, interval

Sense = Literal["at most", "at least"]
Statistic = Literal["median", "mean", "p99", "max"]


@dataclass(frozen=True, slots=True)
class Promise:
    """What is promised: that a figure is `sense` the `limit`; `rival` is what it was measured beside."""

    name: str
    statement: str
    rival: str
    limit: float
    unit: str
    sense: Sense = "at most"


@dataclass(frozen=True, slots=True)
class Measured:
    """A statistic of `n` values, with the interval that it is known to; `median` is theirs."""

    statistic: Statistic
    value: float
    low: float
    high: float
    median: float
    n: int


@dataclass(frozen=True, slots=True)
class Found:
    """A promise and what came of it; without `measured`, `problem` says why."""

    promise: Promise
    measured: Measured | None
    verdict: Verdict
    problem: str | None = None
    details: Mapping[str, Any] = field(default_factory=dict)
    """Figures beside the one that is judged, for a person who wants to know more."""


def p99(values: Sequence[float]) -> float:
    """Return the smallest value that 99 % of `values` do not exceed."""
    return quantile(sorted(values), 0.99)


STATISTICS: Final[dict[Statistic, Callable[[Sequence[float]], float]]] = {
    "median": median,
    "mean": fmean,
    "p99": p99,
    "max": max,
}


def judge(promise: Promise, values: Sequence[float], statistic: Statistic, rng: random.Random, **details: Any) -> Found:
    """Judge by a statistic of `values` and its 95 % bootstrap interval: kept or broken if all of it says so."""
    if not values:
        return unmeasured(promise, "nothing was measured")
    measure = STATISTICS[statistic]
    low, high = interval(values, measure, rng)
    measured = Measured(statistic, measure(values), low, high, median(values), len(values))
    return Found(promise, measured, verdict(promise, measured), few(measured), details)


def judge_each(promise: Promise, values: Sequence[float], **details: Any) -> Found:
    """Judge a promise that every single one of `values` has to keep; the interval is from the least to the most."""
    if promise.sense != "at most":
        raise ValueError(f"{promise.name}: only an upper limit can be asked of each value")
    if not values:
        return unmeasured(promise, "nothing was measured")
    most = max(values)
    measured = Measured("max", most, min(values), most, median(values), len(values))
    broken = most > promise.limit
    return Found(promise, measured, "missed" if broken else _kept(measured), None if broken else few(measured), details)


def unmeasured(promise: Promise, problem: str) -> Found:
    """Return what is said of a promise that could not be measured."""
    return Found(promise, None, "inconclusive", problem)


def verdict(promise: Promise, measured: Measured) -> Verdict:
    """Return what the interval says; too few values say nothing."""
    if measured.n < LEAST_ROUNDS:
        return "inconclusive"
    # Turned around, a lower limit is an upper one.
    low, high, limit = (
        (measured.low, measured.high, promise.limit)
        if promise.sense == "at most"
        else (-measured.high, -measured.low, -promise.limit)
    )
    if high <= limit:
        return "met"
    return "missed" if low > limit else "inconclusive"


def few(measured: Measured) -> str | None:
    """Return what is wrong with a figure of too few values."""
    return f"{measured.n} values are too few" if measured.n < LEAST_ROUNDS else None


def _kept(measured: Measured) -> Verdict:
    return "inconclusive" if measured.n < LEAST_ROUNDS else "met"
