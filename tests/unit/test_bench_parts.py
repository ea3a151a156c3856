"""The small parts of the bench: values, statistics, time left, plots without their library."""

import random
import zlib
from typing import Any

import pytest

from kherd.bench.environment import environment
from kherd.bench.jobs import ConsumeJob, FillJob, Job, ProduceJob, decode, encode
from kherd.bench.payload import pool
from kherd.bench.plan import Step
from kherd.bench.progress import LEARNED, Eta
from kherd.bench.run import redacted
from kherd.bench.spread import drift
from kherd.bench.statistics import Statistics, sample
from kherd.bench.topic import EMBEDDED_PARTITION_BYTES, partitions_for

PRODUCE = ProduceJob("t", {"acks": "1"}, 6, 100, 0.5, 1, sticky=False, warmup=0.5, seconds=2.0)


@pytest.mark.parametrize(
    "job",
    [
        PRODUCE,
        FillJob("t", {}, 10, 100, 0.5),
        ConsumeJob("poll", "h:1", "t", 10, embedded=True, protocol="consumer", properties={}, folder="f"),
    ],
)
def test_a_job_arrives_as_it_was_sent(job: Job) -> None:
    assert decode(encode(job)) == job


@pytest.mark.parametrize("entropy", [0.0, 0.5, 1.0])
def test_values_compress_as_far_as_their_entropy_says(entropy: float) -> None:
    bodies = pool(1000, entropy, random.Random(1))
    assert {len(body) for body in bodies} == {992}
    joined = b"".join(bodies[:1000])
    assert abs(len(zlib.compress(joined)) / len(joined) - entropy) < 0.05


def test_values_repeat_later_than_a_codec_looks_back() -> None:
    bodies = pool(100, 0.5, random.Random(1))
    assert len(bodies) * 100 >= 4 * 1000 * 1000
    assert len(set(bodies)) == len(bodies)


def report(payload: int, wire: int, batches: int, records: int, rtt: int | None) -> dict[str, Any]:
    window = {"cnt": 0 if rtt is None else 1, "p50": rtt or 0}
    return {
        "txmsg_bytes": payload,
        "tx_bytes": wire,
        "topics": {"t": {"batchcnt": {"cnt": batches, "sum": records}}},
        "brokers": {"1": {"nodeid": 1, "rtt": window, "int_latency": window}, "boot": {"nodeid": -1}},
    }


def test_statistics_are_of_the_time_that_is_measured_alone() -> None:
    statistics = Statistics("t")
    statistics._samples = [sample(report(1000, 5000, 99, 99, 9), "t"), sample(report(2000, 6000, 99, 99, 9), "t")]
    statistics.forget()
    statistics._samples += [sample(report(3000, 6500, 1, 10, 2000), "t"), sample(report(4000, 7000, 3, 50, None), "t")]
    assert statistics.figures() == {"batch_records": 15.0, "wire_ratio": 0.5, "rtt_ms": 2.0, "queued_ms": 2.0}


def test_statistics_of_nothing_are_unknown() -> None:
    assert set(Statistics("t").figures().values()) == {None}
    assert sample(report(0, 0, 0, 0, None), "other").batches == 0


def test_the_time_left_learns_from_the_time_taken() -> None:
    steps = [Step("rate", "x", number, LEARNED) for number in range(4)]
    eta = Eta(steps, began=0.0)
    assert eta.left(0.0) == 4 * LEARNED
    eta.finish(steps[0])
    assert eta.left(2 * LEARNED) == 6 * LEARNED
    for step in steps[1:]:
        eta.finish(step)
    assert eta.left(100.0) == 0


def test_drift_is_between_the_halves() -> None:
    assert drift([100.0, 100.0, 120.0, 120.0]) == pytest.approx(0.2)
    assert drift([100.0, 500.0, 100.0]) == 0
    assert drift([100.0]) is None
    assert drift([0.0, 1.0]) is None


def test_the_embedded_broker_gets_partitions_that_hold_all_records() -> None:
    assert partitions_for(10, 100, 6, embedded=True) == 6
    many = partitions_for(1_000_000, 100, 6, embedded=True)
    assert many * EMBEDDED_PARTITION_BYTES >= 116 * 1_000_000
    assert partitions_for(1_000_000, 100, 6, embedded=False) == 6


def test_the_environment_is_known_where_it_can_be() -> None:
    found = environment()
    assert found["cores"] >= 1
    assert found["librdkafka"].count(".") == found["confluent_kafka"].count(".") == 2
    assert not any("/" in str(value) for name, value in found.items() if name != "cpu")


def test_secrets_stay_out_of_a_result() -> None:
    assert redacted({"sasl.password": "x", "acks": "1"}) == {"sasl.password": "[redacted]", "acks": "1"}
