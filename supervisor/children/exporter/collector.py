"""A snapshot as Prometheus reads it: every metric of the table, each counter as its total."""

import platform
from collections.abc import Iterator
from typing import Final

from prometheus_client import Metric as Family
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from ....worker.decide.duration import BOUNDS
from ... import metrics
from ...decide.metrics import Sample, Status, latency, totals
from ...metrics import Metric

APP: Final = "app"
"""The label that every metric has."""
OPENMETRICS: Final = "application/openmetrics-text"


class Snapshot(Collector):
    """Families of one snapshot, for prometheus-client's encoders."""

    def __init__(self, status: Status) -> None:
        self._status = status

    def collect(self) -> Iterator[Family]:
        """Yield a family for each metric that has a sample, its samples together."""
        version = (str(self._status["kherd"]), platform.python_version())
        families: dict[Metric, CounterMetricFamily | GaugeMetricFamily] = {}
        for sample in (*totals(self._status), Sample(metrics.BUILD_INFO, 1, version)):
            family = families.setdefault(sample.metric, _family(sample.metric))
            family.add_metric([str(self._status["app"]), *sample.labels], sample.value)
        yield from families.values()
        yield self._latency()

    def _latency(self) -> HistogramMetricFamily:
        metric, found = metrics.HANDLER_SECONDS, latency(self._status)
        family = HistogramMetricFamily(metric.exported, metric.doc, labels=(APP,))
        bounds = [*map(str, BOUNDS), "+Inf"]
        family.add_metric([str(self._status["app"])], list(zip(bounds, found.counts, strict=True)), found.seconds)
        return family


def _family(metric: Metric) -> CounterMetricFamily | GaugeMetricFamily:
    kind = CounterMetricFamily if metric.kind == "counter" else GaugeMetricFamily
    return kind(metric.exported, metric.doc, labels=(APP, *metric.labels))


def encode(status: Status, accept: str) -> tuple[str, bytes]:
    """Return content type and text: OpenMetrics 1.0.0 if the request's `accept` names it, else Prometheus 0.0.4."""
    named = {kind.partition(";")[0].strip().lower() for kind in accept.split(",")}
    # Only that: the library's own reading of the header raises where a version makes no sense.
    encoder, kind = choose_encoder(OPENMETRICS if OPENMETRICS in named else "")
    return kind, encoder(Snapshot(status))
