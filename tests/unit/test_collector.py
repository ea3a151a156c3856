import platform
from typing import Any

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse

from kherd.supervisor.children.exporter.collector import encode
from kherd.supervisor.metrics import HANDLER_SECONDS, METRICS
from kherd.worker.decide.duration import BOUNDS

from ..fakes.status import status


def families(document: dict[str, Any]) -> dict[str, Any]:
    _, text = encode(document, "")
    return {family.name: family for family in parse(text.decode())}


def samples(document: dict[str, Any]) -> dict[tuple[str, ...], float]:
    return {
        (sample.name, *(f"{name}={value}" for name, value in sorted(sample.labels.items()))): sample.value
        for family in families(document).values()
        for sample in family.samples
    }


def test_every_metric_of_the_table_is_there_under_its_name_and_nothing_else() -> None:
    found = families(status())
    names = {sample.name for family in found.values() for sample in family.samples}
    histogram = {f"{HANDLER_SECONDS.exported}_{part}" for part in ("bucket", "count", "sum")}
    assert names == {one.exported for one in METRICS if one is not HANDLER_SECONDS} | histogram
    for metric in METRICS:
        family = found[metric.exported.removesuffix("_total")]
        assert family.type == metric.kind
        assert family.documentation == metric.doc
        assert all(set(sample.labels) - {"le"} == {"app", *metric.labels} for sample in family.samples)


def test_labels_hold_values_as_they_are() -> None:
    found = samples(status(deaths={'a "quoted"\ncause\\': 2}))
    assert found["kherd_topic_consumer_lag", "app=orders", "topic=pay.ments"] == 34
    assert found["kherd_deaths_total", "app=orders", 'cause=a "quoted"\ncause\\'] == 2
    assert found["kherd_workers", "app=orders", "state=ready"] == 1
    assert found["kherd_build_info", "app=orders", f"python={platform.python_version()}", "version=0.1.0"] == 1


def test_counters_are_totals_of_the_supervisors_life() -> None:
    for _ in range(2):  # whatever was shown before
        found = samples(status())
        assert found["kherd_records_handled_total", "app=orders"] == 1000
        assert found["kherd_restarts_total", "app=orders"] == 3
        assert found["kherd_deaths_total", "app=orders", "cause=signal:KILL"] == 3
        assert found["kherd_busy_ms_total", "app=orders"] == 1


@pytest.mark.parametrize("read", [parse, parse_openmetrics])
def test_the_histogram_counts_every_call_up_to_each_bound(read: Any) -> None:
    # OpenMetrics' parser refuses buckets that are out of order, that fall, or whose last is not the count
    totals = {"calls": 115, "quick": 100, "over_2.5ms": 10, "over_30000ms": 5, "busy_ns": 200_500_000_000}
    accept = "application/openmetrics-text" if read is parse_openmetrics else ""
    _, text = encode(status(totals=totals), accept)
    family = next(one for one in read(text.decode()) if one.name == "kherd_handler_seconds")
    assert family.type == "histogram"
    counts = {float(one.labels["le"]): one.value for one in family.samples if one.name.endswith("_bucket")}
    assert list(counts) == [*BOUNDS, float("inf")]
    assert (counts[0.001], counts[0.0025], counts[0.005], counts[30.0], counts[float("inf")]) == (
        100,
        100,
        110,
        110,
        115,
    )
    assert [one.value for one in family.samples if one.name.endswith("_count")] == [115]
    assert [one.value for one in family.samples if one.name.endswith("_sum")] == [200.5]


def test_gauges_say_how_it_is() -> None:
    found = samples(status())
    assert found["kherd_consumer_lag", "app=orders"] == 1234
    assert found["kherd_in_flight_age_seconds", "app=orders"] == 1.25
    assert found["kherd_error_rate", "app=orders"] == 0.01


def test_what_is_unknown_is_absent() -> None:
    lag = {"valid": False, "reason": "x", "at": None, "total": None, "topics": {}, "partitions": []}
    found = families(status(lag=lag, dead_letters=None, brokers_reachable=None))
    assert not {"kherd_consumer_lag", "kherd_topic_consumer_lag", "kherd_dlq_count", "kherd_brokers_reachable"} & set(
        found
    )
    assert found["kherd_lag_known"].samples[0].value == 0


def test_openmetrics_is_spoken_to_who_asks_for_it() -> None:
    kind, text = encode(status(), "application/openmetrics-text; version=1.0.0, text/plain;q=0.5")
    assert kind.startswith("application/openmetrics-text; version=1.0.0")
    read = parse_openmetrics(text.decode())  # type: ignore[no-untyped-call]
    assert {family.name for family in read} >= {"kherd_records_handled", "kherd_workers"}
    assert text.endswith(b"# EOF\n")


@pytest.mark.parametrize(
    "accept",
    [
        "",
        "*/*",
        "text/html",
        "text/plain;version=1.0.0",
        "application/openmetrics-text; version=x.y",
        "application/openmetrics-text; version=1.0.0; escaping=nonsense",
        "text/plain;version=1.0.0;escaping=nonsense",
        ";;;,,,==",
    ],
)
def test_whatever_is_asked_for_gets_numbers(accept: str) -> None:
    kind, text = encode(status(), accept)
    assert kind.startswith(("text/plain", "application/openmetrics-text"))
    assert b'kherd_consumer_lag{app="orders"} 1234.0' in text
