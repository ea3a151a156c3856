"""From the status document to samples. What is unknown gives no sample: a lag of 0 would be a lie.

A counter is what was added between two documents. Without an earlier one (the exporter has just started) the
totals may have been sent by another before us: nothing is added. A document of another `life` is of a supervisor that
started its totals at 0.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from ...worker.decide import duration
from .. import metrics
from ..metrics import Metric
from .alerts import RULES
from .child import State
from .limits import REPLACING

Status = Mapping[str, Any]
BEFORE_LIFE: Final[Status] = {
    "life": None,
    "totals": {},
    "deaths": {},
    "restarts": 0,
    "rollbacks": 0,
    "recycled": {},
    "breakers": [],
}
"""What counters are compared with that were 0 when the supervisor started."""


BREAKER_STATES: Final = {"closed": 0, "half_open": 1, "open": 2}


@dataclass(frozen=True, slots=True)
class Sample:
    """One value of one metric, with a value for each of its labels."""

    metric: Metric
    value: int | float
    labels: tuple[str, ...] = ()

    @property
    def path(self) -> str:
        """Its statsd path, below the prefix."""
        return self.metric.spell(*self.labels)


def samples(status: Status, previous: Status | None) -> list[Sample]:
    """Return everything that `status` tells; `previous` is the document before it, of the same exporter."""
    return [sample for sample in (*_gauges(status), *_counters(status, previous)) if math.isfinite(sample.value)]


def totals(status: Status) -> list[Sample]:
    """Return everything that `status` tells, each counter as its total over the supervisor's life."""
    return samples(status, BEFORE_LIFE)


@dataclass(frozen=True, slots=True)
class Histogram:
    """How many calls took up to each of `duration.BOUNDS`, then how many there were; and all their seconds."""

    counts: list[int]
    seconds: float


def latency(status: Status) -> Histogram:
    """Return how long handler calls took, over the supervisor's life."""
    totals = status["totals"]
    counts = duration.cumulate(int(totals.get(name, 0)) for name in duration.NAMES)
    return Histogram(counts, totals.get("busy_ns", 0) / 1e9)


def _gauges(status: Status) -> Iterator[Sample]:
    yield from _lag(status["lag"])
    workers, rates, totals = status["workers"], status["rates"], status["totals"]
    yield from _known(metrics.DLQ_COUNT, status["dead_letters"])
    yield from _known(metrics.PROCESSING_RATE, rates.get("processing_rate"))
    yield from _known(metrics.ERROR_RATE, rates.get("error_rate"))
    yield Sample(metrics.WORKERS_WANTED, workers["wanted"])
    for state in State:  # every state every time: a server keeps showing the last value of one that is left out
        yield Sample(metrics.WORKERS, workers["by_state"].get(state.value, 0), (state.value,))
    for name, metric in metrics.GAUGE_TOTALS.items():
        yield Sample(metric, totals.get(name, 0))
    for name, metric in metrics.FAILING.items():
        yield Sample(metric, status["failing"][name])
    active = {alert["name"] for alert in status["alerts"]}
    for name in RULES:
        yield Sample(metrics.ALERT_ACTIVE, int(name in active), (name,))
    for breaker in status["breakers"]:
        yield Sample(metrics.BREAKER_STATE, BREAKER_STATES[breaker["state"]], (breaker["name"],))
    for slot, size in sorted(status["memory"].items()):
        yield from _known(metrics.MEMORY, size, slot)
    yield Sample(metrics.IN_FLIGHT_AGE, status["in_flight_age"])
    reachable = status.get("brokers_reachable")
    yield from _known(metrics.BROKERS_REACHABLE, None if reachable is None else int(reachable))
    yield Sample(metrics.PROBLEMS, len(status["problems"]))
    yield Sample(metrics.GENERATION, status["generation"])
    yield Sample(metrics.UPTIME, status["uptime"])


def _lag(lag: Mapping[str, Any]) -> Iterator[Sample]:
    yield Sample(metrics.LAG_KNOWN, int(lag["valid"]))
    if lag["valid"]:
        yield from _known(metrics.CONSUMER_LAG, lag["total"])
        for topic, one in sorted(lag["topics"].items()):
            yield from _known(metrics.TOPIC_CONSUMER_LAG, one["lag"], topic)


def _counters(status: Status, previous: Status | None) -> Iterator[Sample]:
    base = _base(status, previous)
    totals, before = status["totals"], base["totals"]
    for name, metric in metrics.TOTALS.items():
        yield Sample(metric, _added(totals, before, name))
    yield Sample(metrics.BUSY_MS, max(0, _busy_ms(totals) - _busy_ms(before)))
    yield Sample(metrics.RESTARTS, _added(status, base, "restarts"))
    yield Sample(metrics.ROLLBACKS, _added(status, base, "rollbacks"))
    for cause in sorted(status["deaths"]):
        yield Sample(metrics.DEATHS, _added(status["deaths"], base["deaths"], cause), (cause,))
    yield from _breakers(status, base)
    for limit in REPLACING:
        yield Sample(metrics.RECYCLED, _added(status["recycled"], base["recycled"], limit), (limit,))


def _breakers(status: Status, base: Status) -> Iterator[Sample]:
    before = {one["name"]: one for one in base["breakers"]}
    for one in status["breakers"]:
        name, known = one["name"], before.get(one["name"], {})
        yield Sample(metrics.BREAKER_TRIPS, _added(one, known, "trips"), (name,))
        open_ms = int(one["open_seconds"] * 1000) - int(known.get("open_seconds", 0) * 1000)
        yield Sample(metrics.BREAKER_OPEN_MS, max(0, open_ms), (name,))


def _base(status: Status, previous: Status | None) -> Status:
    """Return what the counters of `status` are compared with."""
    if previous is None:
        return status
    if previous["life"] != status["life"]:
        return BEFORE_LIFE
    return previous


def _added(after: Mapping[str, Any], before: Mapping[str, Any], name: str) -> int:
    # Never negative: what a slot that was taken away had counted is not un-happened.
    return max(0, int(after.get(name, 0)) - int(before.get(name, 0)))


def _busy_ms(totals: Mapping[str, Any]) -> int:
    # Whole milliseconds before the difference: what is left over counts next time.
    return int(totals.get("busy_ns", 0)) // 1_000_000


def _known(metric: Metric, value: float | None, *labels: str) -> Iterator[Sample]:
    if value is not None:
        yield Sample(metric, value, labels)
