"""`/readyz` names brokers that do not answer, and is good again when they do, with the same workers and exporter."""

from collections.abc import Iterator

import pytest

from kherd.testing.kafka import KafkaCluster
from kherd.testing.plugin import NewHerd, NewTopic
from kherd.testing.ports import Port
from kherd.testing.scenes import LEDGER, config, wait_settled
from kherd.testing.wait import until

from ..fakes.page import get

PATIENCE = 30.0


@pytest.fixture
def port() -> Iterator[int]:
    made = Port()
    yield made.number
    made.release()


def test_readiness(kafka_proxied: KafkaCluster, herd: NewHerd, topic: NewTopic, port: int) -> None:
    # Given a herd that is ready
    name = topic(2, on=kafka_proxied)
    one = herd(config(kafka_proxied, name, 1, metrics={"http": f":{port}"}), LEDGER)
    before = wait_settled(one, 1, 2)
    until(lambda: reasons(port) == [], PATIENCE, "readiness")

    # When the broker does not answer, then that is the reason, and the herd still lives
    kafka_proxied.pause(1)
    until(lambda: reasons(port) == ["no broker answers"], PATIENCE, "the reason")
    assert get(port, "/healthz").status == 200
    assert get(port, "/metrics").series["kherd_brokers_reachable"] == 0

    # When it answers again, then the herd is ready
    kafka_proxied.heal()
    until(lambda: reasons(port) == [], PATIENCE, "readiness")
    after = one.status()
    assert [slot["pid"] for slot in after["slots"]] == [slot["pid"] for slot in before["slots"]]
    assert after["services"]["exporter"]["pid"] == before["services"]["exporter"]["pid"]
    one.stop()


def reasons(port: int) -> list[str]:
    """Return why the herd is not ready."""
    page = get(port, "/readyz")
    assert page.status == (503 if page.json["reasons"] else 200)
    found: list[str] = page.json["reasons"]
    return found
