"""What a handler returns is acknowledged before its record is committed; if refused, the record is handled again."""

from pathlib import Path

import pytest
from confluent_kafka import KafkaError

from kherd.supervisor.children.broker.mock import MockCluster

from ..fakes.scene import Scene, scene

ECHO = """
def handle(message):
    note(message)
    return Record("out." + message.topic(), message.value())
def handle_all(messages):
    for message in messages: note(message)
    return [Record("out." + message.topic(), message.value()) for message in messages]
"""
MODES = {"record": "handle", "batch": "handle_all"}


@pytest.mark.parametrize("mode", MODES)
def test_every_record_is_answered_once(stage: Scene, mode: str) -> None:
    stage.topic(2)
    stage.cluster.create_topic(f"out.{stage.name}", 2)
    stage.feed(200)
    stage.handler(ECHO, MODES[mode])
    worker = stage.worker(mode=mode)
    worker.until(lambda: set(worker.partitions.values()) == {(100, 100)}, "all committed")
    assert worker.counters["produced"] == 200
    found = stage.read(f"out.{stage.name}")
    assert sorted(int(message.value() or b"") for message in found) == list(range(200))
    assert worker.stop() == 0


@pytest.mark.parametrize("mode", MODES)
def test_nothing_is_committed_while_the_brokers_refuse_the_output(tmp_path: Path, mode: str) -> None:
    with MockCluster() as cluster, scene(tmp_path, cluster, "orders") as stage:  # type: ignore[arg-type]
        stage.topic(2)
        cluster.create_topic("out.orders", 2)
        stage.feed(10)
        stage.handler(ECHO, MODES[mode])
        cluster.push_errors(0, [KafkaError.INVALID_RECORD] * 6)
        worker = stage.worker(mode=mode)
        worker.until(lambda: worker.counters["failed"] > 0, "refused")
        worker.until(lambda: set(worker.partitions.values()) == {(5, 5)}, "all committed")
        values = {int(message.value() or b"") for message in stage.read("out.orders")}
        assert values == set(range(10))
        assert len(stage.did()) > 10
        assert worker.stop() == 0


def test_a_stop_waits_for_what_is_on_its_way(stage: Scene) -> None:
    stage.topic(1)
    stage.cluster.create_topic(f"out.{stage.name}", 1)
    stage.feed(100)
    stage.handler(ECHO)
    worker = stage.worker(kafka={"producer": {"linger.ms": "1000"}})
    worker.until(lambda: worker.counters["handled"] == 100, "all handled")
    assert worker.stop() == 0
    assert stage.committed == {0: 100}
    assert len(stage.read(f"out.{stage.name}")) == 100


def test_a_slow_producer_slows_the_worker_down(tmp_path: Path) -> None:
    with MockCluster() as cluster, scene(tmp_path, cluster, "orders") as stage:  # type: ignore[arg-type]
        stage.topic(1)
        cluster.create_topic("out.orders", 1)
        stage.feed(2000)
        stage.handler(ECHO)
        worker = stage.worker(max_in_flight=100, kafka={"producer": {"linger.ms": "100"}})
        worker.until(lambda: set(worker.partitions.values()) == {(2000, 2000)}, "all committed")
        assert worker.counters["produced"] == 2000
        assert worker.stop() == 0
