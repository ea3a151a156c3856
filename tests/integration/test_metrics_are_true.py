"""What a herd sends to a real statsd is true: lag, dead letters, rates, rebalances, workers, restarts and deaths."""

import os
import signal

from kherd.testing.herd import Herd
from kherd.testing.plugin import NewHerd, NewTopic
from kherd.testing.producing import Feeder
from kherd.testing.statsd import StatsdServer
from kherd.testing.story import PRELUDE, put, shared, tables, wait_committed
from kherd.testing.topics import Cluster
from kherd.testing.wait import until

HANDLER = f"""{PRELUDE}
def handle(message):
    if message.value() == b"stuck":
        raise Retry("not yet", after=60)
    if message.partition() == 0 and int(message.value()) % 4 == 3:
        raise ProcessingError("every fourth")
"""
RATE = 40
PATIENCE = 30.0


def test_metrics(kafka: Cluster, topic: NewTopic, herd: NewHerd, statsd: StatsdServer) -> None:
    # Given two workers, one with a stream of which every fourth record is poison, one with a record that is stuck
    name = topic(2)
    put(kafka, name, b"0", b"1", b"stuck", b"2", b"3", b"4", partition=1)
    config = tables(
        kafka,
        name,
        app={"name": f"m-{name[-8:]}", "instance": "here"},
        workers={"count": 2},
        metrics={"statsd": statsd.address, "prefix": "test"},
    )
    one = herd(config, HANDLER)
    one.wait_status(shared)
    with Feeder(kafka.client_properties(), name, RATE, partitions=1) as feeder:
        # Then the rates come to be those of the stream
        near(statsd, one, "processing_rate", RATE * 0.75)
        near(statsd, one, "error_rate", 0.25)
    produced = feeder.count
    poison = len([offset for offset in feeder.acknowledged[0] if offset % 4 == 3])
    wait_committed(kafka, one, name, {0: produced, 1: 2})

    # When the stream's worker is killed
    status = one.wait_status(lambda status: status["dead_letters"] == poison and status["lag"]["total"] == 4)
    victim = next(slot["pid"] for slot in status["slots"] if slot["partitions"][0]["partition"] == 0)
    os.kill(victim, signal.SIGKILL)
    one.wait_event("child_died", child_pid=victim)
    one.wait_ready(2)

    # Then that is counted, and the gauges are what the broker says
    until(lambda: counter(statsd, one, "deaths.signal_KILL") == 1, PATIENCE, "the death")
    wanted = {"consumer_lag": 4, "lag_known": 1, "dlq_count": poison, "workers.ready": 2, "workers_wanted": 2}
    until(lambda: {key: gauge(statsd, one, key) for key in wanted} == wanted, PATIENCE, f"{wanted}")
    until(lambda: gauge(statsd, one, "partitions_paused") == 1, PATIENCE, "the paused partition")
    until(lambda: gauge(statsd, one, "processing_rate") == 0, PATIENCE, "no rate without a stream")

    # and the counters come to exactly what happened, over both lives of the slot, with the stop's last metrics
    one.stop()
    until(lambda: counter(statsd, one, "records_handled") == produced - poison + 2, PATIENCE, "the last metrics")
    assert counter(statsd, one, "records_dead_lettered") == poison
    assert counter(statsd, one, "records_failed") == poison + 1
    assert counter(statsd, one, "restarts") == 1
    assert counter(statsd, one, "rebalance_count") >= 3
    deaths = [name for name in counters(statsd, one) if name.startswith("deaths.")]
    assert deaths == ["deaths.signal_KILL"]
    assert one.events("metrics_failed") == []


def spelled(one: Herd, metric: str) -> str:
    return f"test.{one.settings['app']['name']}.{metric}"


def gauge(statsd: StatsdServer, one: Herd, metric: str) -> float | None:
    return statsd.gauges().get(spelled(one, metric))


def counter(statsd: StatsdServer, one: Herd, metric: str) -> float:
    return statsd.total(spelled(one, metric))


def counters(statsd: StatsdServer, one: Herd) -> set[str]:
    prefix = spelled(one, "")
    return {name.removeprefix(prefix) for name, value in statsd.counters().items() if value and name.startswith(prefix)}


def near(statsd: StatsdServer, one: Herd, metric: str, value: float) -> None:
    def look() -> bool:
        found = gauge(statsd, one, metric)
        return found is not None and abs(found - value) <= 0.2 * value

    until(look, PATIENCE, f"{metric} near {value}")
