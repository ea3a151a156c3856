"""What Prometheus reads from a herd is true: lag, records, workers, deaths, calls; no counter falls, whoever dies."""

import os
import signal
from collections.abc import Iterator, Mapping

import pytest

from kherd.testing.herd import Document, Herd
from kherd.testing.plugin import NewHerd
from kherd.testing.ports import Port
from kherd.testing.story import PRELUDE, put
from kherd.testing.topics import Cluster
from kherd.testing.wait import until

from ..fakes.page import get, tried

TOPIC = "orders"
HANDLER = f"""{PRELUDE}
def handle(message):
    match message.value():
        case b"stuck":
            raise Retry("not yet", after=600)
        case b"poison":
            raise ProcessingError("cannot be read")
        case b"slow":
            time.sleep(12)
"""
PATIENCE = 30.0


@pytest.fixture
def port() -> Iterator[int]:
    made = Port()
    yield made.number
    made.release()


def test_prometheus(herd: NewHerd, port: int) -> None:
    # Given a herd on the embedded broker, with a hundred records, some of them poison, and four that have to wait
    config = {
        "kafka": {"bootstrap": "embedded", "topics": [TOPIC]},
        "workers": {"count": 2},
        "metrics": {"http": f":{port}"},
        "lag": {"interval": 0.2},
    }
    one = herd(config, HANDLER)
    cluster = Cluster(one.wait_ready(2)["services"]["broker"]["bootstrap"])
    put(cluster, TOPIC, *[b"x"] * 90, *[b"poison"] * 10, partition=0)
    put(cluster, TOPIC, b"stuck", b"x", b"x", b"x", partition=1)

    # Then that is what is read
    wanted = {
        "kherd_consumer_lag": 4,
        "kherd_topic_consumer_lag orders": 4,
        "kherd_lag_known": 1,
        "kherd_brokers_reachable": 1,
        "kherd_records_handled_total": 90,
        "kherd_records_dead_lettered_total": 10,
        "kherd_dlq_count": 10,
        "kherd_workers ready": 2,
        "kherd_workers_wanted": 2,
        "kherd_partitions_paused": 1,
        "kherd_restarts_total": 0,
        "kherd_in_flight_age_seconds": 0,
    }
    before = until_read(port, wanted)
    assert [name for name in before if name.startswith("kherd_deaths_total")] == []
    assert [value for name, value in before.items() if name.startswith("kherd_build_info ")] == [1]
    assert before["kherd_handler_seconds_count"] == before["kherd_calls_total"] >= 101
    assert get(port, "/readyz").json == {"ready": True, "reasons": []}

    # When a worker is killed, and then the exporter, then both are counted, and the port answers again
    status = one.status()
    for pid in (status["slots"][0]["pid"], status["services"]["exporter"]["pid"]):
        os.kill(pid, signal.SIGKILL)
        one.wait_event("child_died", child_pid=pid)
    one.wait_ready(2)
    wanted |= {"kherd_restarts_total": 2, "kherd_deaths_total signal:KILL": 2}
    after = until_read(port, wanted)
    assert one.status()["services"]["exporter"]["pid"] != status["services"]["exporter"]["pid"]

    # and no counter has fallen
    fallen = {name for name in before if name.endswith("_total") and after[name] < before[name]}
    assert fallen == set()

    # When a handler call takes long, then its age is seen
    put(cluster, TOPIC, b"slow", partition=2)
    until(lambda: series(port).get("kherd_in_flight_age_seconds", 0) > 1, PATIENCE, "the age of a call")

    # When the herd is stopped meanwhile, then it lives and is not ready
    one.signal(signal.SIGTERM)
    page = until(lambda: not_ready(port), PATIENCE, "a herd that is not ready")
    assert page == {"ready": False, "reasons": ["the herd is stopping"]}
    one.wait_end()
    assert tried(port, "/healthz") is None
    assert listening(one) == 2  # the first exporter and the second
    assert one.events("http_failed") == []


def series(port: int) -> dict[str, float]:
    page = tried(port, "/metrics")
    return page.series if page is not None and page.status == 200 else {}


def until_read(port: int, wanted: Mapping[str, float]) -> dict[str, float]:
    def look() -> dict[str, float] | None:
        found = series(port)
        return found if wanted.items() <= found.items() else None

    try:
        return until(look, PATIENCE, "the metrics")
    except TimeoutError as error:
        found = series(port)
        wrong = {name: found.get(name) for name in wanted if found.get(name) != wanted[name]}
        raise AssertionError(f"wrong: {wrong}") from error


def not_ready(port: int) -> Document | None:
    page = tried(port, "/readyz")
    return page.json if page is not None and page.status == 503 else None


def listening(one: Herd) -> int:
    return len(one.events("http_listens"))
