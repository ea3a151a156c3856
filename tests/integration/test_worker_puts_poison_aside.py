"""Poison is dead-lettered, acknowledged, and only then passed; if it cannot be published its partition waits."""

from pathlib import Path

from confluent_kafka import KafkaError

from kherd.supervisor.children.broker.mock import MockCluster

from ..fakes.scene import Scene, scene

POISON = """
def handle(message):
    if message.value() == b"bad": raise ProcessingError("bad")
    note(message)
def handle_all(messages):
    for message in messages: handle(message)
"""


def bad(n: int) -> bytes:
    return b"bad" if n == 11 else b"%d" % n


def test_poison_becomes_a_dead_letter_and_the_rest_goes_on(stage: Scene) -> None:
    stage.topic(2, dead_letters=True)
    stage.feed(40, value=bad)
    stage.handler(POISON)
    worker = stage.worker()
    worker.until(lambda: set(worker.partitions.values()) == {(20, 20)}, "all committed")
    assert (worker.counters["dead_lettered"], worker.counters["handled"]) == (1, 39)
    assert len(stage.did()) == 39
    [letter] = stage.read(f"dlq.{stage.name}")
    headers = dict(letter.headers() or ())
    assert (letter.partition(), letter.value()) == (1, b"bad")
    assert headers["__dlq.errors.offset"] == b"5"
    assert worker.logged("dead_lettered") == 1
    assert worker.stop() == 0


def test_in_batch_mode_only_the_poison_is_put_aside(stage: Scene) -> None:
    stage.topic(2, dead_letters=True)
    stage.feed(40, value=bad)
    stage.handler(POISON, "handle_all")
    worker = stage.worker(mode="batch")
    worker.until(lambda: set(worker.partitions.values()) == {(20, 20)}, "all committed")
    assert worker.counters["dead_lettered"] == 1
    assert worker.stop() == 0


def test_an_exhausted_record_is_put_aside_when_the_supervisor_says_so(stage: Scene) -> None:
    stage.topic(2, dead_letters=True)
    stage.feed(40, value=bad)
    stage.handler(POISON.replace("ProcessingError", "RuntimeError"))
    worker = stage.worker(errors={"max_attempts": 3, "backoff_initial": 0.01, "backoff_max": 30.0})
    worker.expect("exhausted")
    [asked] = [message for message in worker.messages if message["type"] == "exhausted"]
    assert (asked["topic"], asked["partition"], asked["offset"]) == (stage.name, 1, 5)
    assert worker.counters["dead_lettered"] == 0
    worker.channel.send({**asked, "type": "put_aside"})
    worker.until(lambda: set(worker.partitions.values()) == {(20, 20)}, "all committed")
    [letter] = stage.read(f"dlq.{stage.name}")
    headers = dict(letter.headers() or ())
    assert headers["__dlq.errors.delivery.count"] == b"3"
    assert headers["kherd.disposition"] == b"retries_exhausted"
    assert worker.stop() == 0


def test_poison_that_cannot_be_published_stops_its_partition_and_nothing_is_dropped(tmp_path: Path) -> None:
    with MockCluster() as cluster, scene(tmp_path, cluster, "orders") as stage:  # type: ignore[arg-type]
        # Given a broker that refuses dead letters
        stage.topic(2, dead_letters=True)
        stage.feed(40, value=bad)
        stage.handler(POISON)
        refusals = [KafkaError.INVALID_RECORD] * 8  # twice per attempt: in company, then alone
        cluster.push_errors(0, refusals)
        worker = stage.worker()

        # When the letter is refused
        worker.until(lambda: worker.logged("dead_letter_failed") > 0, "refused")

        # Then the partition stays before the poison, the other one goes on
        worker.until(lambda: worker.partitions[(stage.name, 0)] == (20, 20), "the other partition")
        assert worker.partitions[(stage.name, 1)][0] == 5

        # When the broker takes it, then the partition goes on
        worker.until(lambda: set(worker.partitions.values()) == {(20, 20)}, "all committed")
        assert worker.counters["dead_lettered"] == 1
        assert len(stage.read("dlq.orders")) == 1
        assert worker.stop() == 0
