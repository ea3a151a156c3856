import re
from typing import Any

from kherd.supervisor.decide.metrics import samples, totals
from kherd.supervisor.metrics import BUILD_INFO, GAUGE_TOTALS, HANDLER_SECONDS, METRICS, TOTALS, UNSENT, safe
from kherd.worker.counters import GAUGES, Counter

from ..fakes.status import breaker, status


def sent(now: dict[str, Any], before: dict[str, Any] | None = None) -> dict[str, float]:
    return {sample.path: sample.value for sample in samples(now, before)}


def test_what_the_issue_asks_for_is_there() -> None:
    names = {metric.name for metric in METRICS}
    assert {
        "consumer_lag",
        "dlq_count",
        "processing_rate",
        "error_rate",
        "rebalance_count",
        "workers",
        "restarts",
        "deaths",
    } <= names


def test_names_and_paths_are_unique_and_every_path_names_its_labels() -> None:
    assert len({metric.name for metric in METRICS}) == len(METRICS)
    unsent = [metric for metric in METRICS if metric.path == UNSENT]
    assert unsent == [HANDLER_SECONDS, BUILD_INFO]
    spelled = {metric.spell(*("X" for _ in metric.labels)) for metric in METRICS if metric not in unsent}
    assert len(spelled) == len(METRICS) - len(unsent)
    assert all(
        metric.spell(*("X" for _ in metric.labels)).count("X") == len(metric.labels)
        for metric in METRICS
        if metric.path != UNSENT
    )
    assert all(metric.doc and metric.unit for metric in METRICS)


def test_the_boards_counters_are_exported_as_what_they_are() -> None:
    gauges = {gauge.name.lower() for gauge in GAUGES}
    counters = {counter.name.lower() for counter in Counter} - gauges
    assert set(GAUGE_TOTALS) <= gauges
    assert set(TOTALS) <= counters


def test_the_names_for_prometheus_are_unique_and_legal_and_counters_are_totals() -> None:
    exported = [metric.exported for metric in METRICS]
    assert len(set(exported)) == len(exported)
    assert all(re.fullmatch(r"kherd_[a-z_]+", name) for name in exported)
    assert all(metric.exported.endswith("_total") == (metric.kind == "counter") for metric in METRICS)


def test_totals_are_those_of_the_supervisors_life_and_gauges_the_same_as_ever() -> None:
    document = status(restarts=4, totals={"handled": 7, "busy_ns": 5_000_000})
    found = {sample.metric.name: sample.value for sample in totals(document) if not sample.labels}
    assert (found["records_handled"], found["restarts"], found["busy_ms"]) == (7, 4, 5)
    assert found["consumer_lag"] == 1234
    assert found["in_flight_age_seconds"] == 1.25


def test_gauges_say_how_it_is() -> None:
    found = sent(status())
    assert found["consumer_lag"] == 1234
    assert found["topics.orders.consumer_lag"] == 1200
    assert found["topics.pay_ments.consumer_lag"] == 34
    assert found["workers.ready"] == 1
    assert found["workers.held"] == 0
    assert found["workers_wanted"] == 2
    assert found["dlq_count"] == 3
    assert found["in_flight"] == 7
    assert found["error_rate"] == 0.01
    assert found["uptime"] == 7991.5


def test_every_alert_is_sent_whether_it_lasts_or_not() -> None:
    assert sent(status())["alerts.lag.active"] == 0
    assert sent(status(alerts=[{"name": "lag"}]))["alerts.lag.active"] == 1


def test_an_unknown_lag_is_not_sent_and_said_to_be_unknown() -> None:
    lag = {"valid": False, "reason": "no broker answers", "at": None, "total": None, "topics": {}, "partitions": []}
    found = sent(status(lag=lag, dead_letters=None, brokers_reachable=None))
    assert not any("consumer_lag" in path for path in found)
    assert found["lag_known"] == 0
    assert "dlq_count" not in found
    assert "brokers_reachable" not in found


def test_the_lag_of_a_topic_that_is_unknown_is_left_out() -> None:
    lag = status()["lag"] | {
        "total": None,
        "topics": {"a": {"lag": None, "partitions": 1}, "b": {"lag": 0, "partitions": 1}},
    }
    found = sent(status(lag=lag))
    assert "topics.a.consumer_lag" not in found
    assert "consumer_lag" not in found
    assert found["topics.b.consumer_lag"] == 0


def test_counters_are_what_was_added() -> None:
    later = status(
        totals={**status()["totals"], "handled": 1500, "busy_ns": 5_000_001},
        restarts=5,
        deaths={"signal:KILL": 4, "oom": 1},
    )
    found = sent(later, status())
    assert found["records_handled"] == 500
    assert found["records_failed"] == 0
    assert found["busy_ms"] == 4
    assert found["restarts"] == 2
    assert found["deaths.signal_KILL"] == 1
    assert found["deaths.oom"] == 1


def test_the_first_document_adds_nothing() -> None:
    assert sent(status())["records_handled"] == 0
    assert sent(status())["deaths.signal_KILL"] == 0


def test_a_new_life_of_the_supervisor_starts_at_nothing() -> None:
    found = sent(status(life="bb", totals={"handled": 5}, deaths={"oom": 1}, restarts=1), status())
    assert (found["records_handled"], found["deaths.oom"], found["restarts"]) == (5, 1, 1)


def test_a_total_that_shrank_adds_nothing() -> None:
    assert sent(status(restarts=1), status())["restarts"] == 0


def test_what_is_no_number_is_not_sent() -> None:
    assert "error_rate" not in sent(status(rates={"processing_rate": 1.0, "error_rate": float("nan")}))


def test_a_segment_of_a_path_is_safe() -> None:
    assert safe("a.b:c|d@e#f g/ä\n") == "a_b_c_d_e_f_g___"
    assert safe("") == "_"
    assert safe("Order-s_1") == "Order-s_1"


def test_a_breaker_is_a_state_its_trips_and_the_time_it_was_not_closed() -> None:
    before = status(breakers=[breaker("db", trips=1, open_seconds=10.0), breaker("cäche")])
    now = status(
        breakers=[breaker("db", state="open", trips=3, open_seconds=12.5), breaker("cäche", state="half_open", trips=1)]
    )
    found = sent(now, before)
    assert (found["breakers.db.state"], found["breakers.c_che.state"]) == (2, 1)
    assert (found["breakers.db.trips"], found["breakers.c_che.trips"]) == (2, 1)
    assert (found["breakers.db.open_ms"], found["breakers.c_che.open_ms"]) == (2500, 0)
    assert {sample.path: sample.value for sample in totals(now)}["breakers.db.open_ms"] == 12500
