"""`python -m kherd.bench.lag_sweep`: how long the liaison takes to read the offsets of many partitions."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from statistics import median
from typing import Any, Final

import click
from confluent_kafka import Consumer, TopicPartition

from ..supervisor.children.liaison.client import cluster_properties
from ..supervisor.children.liaison.cluster import Cluster, isolation_of
from ..supervisor.children.liaison.handle import Key
from ..supervisor.children.liaison.lag import Reader, keys_of
from ..worker import kernel
from ..worker.spec import KafkaSpec

PROMISED: Final = 10_000
"""Partitions that the promise is about."""
GROUP: Final = "kherd-bench-lag"
PER_TOPIC: Final = 100
CHUNK: Final = 500
SECONDS: Final = 30.0
COMMITTED: Final = 0


@click.command()
@click.option("--partitions", type=click.IntRange(min=1), default=PROMISED, show_default=True)
@click.option("--rounds", type=click.IntRange(min=1), default=20, show_default=True)
def main(partitions: int, rounds: int) -> None:
    """Sweep the embedded broker's topics again and again, and print seconds per sweep as one line of JSON.

    `log_starts` are the sweeps that read these too, one a minute in a herd.
    """
    with broker(partitions) as bootstrap:
        kafka = KafkaSpec(bootstrap, GROUP, (), embedded=True)
        cluster = Cluster(cluster_properties(kafka, "kherd-bench", ()), GROUP, isolation_of(kafka))
        keys = keys_of(cluster.topics(SECONDS))
        if len(keys) != partitions:
            raise click.ClickException(f"the embedded broker has {len(keys)} partitions, not {partitions}")
        commit(bootstrap, keys)
        reader = Reader(cluster, GROUP)
        first = sweep(reader, keys)
        usual = [sweep(reader, keys) for _ in range(rounds)]
        fresh = [sweep(reader, keys, fresh=True) for _ in range(rounds)]
    facts = {"partitions": partitions, "rounds": rounds, "first": round(first[0], 4)}
    print(json.dumps({**facts, "usual": spread(usual), "log_starts": spread(fresh)}))


@contextmanager
def broker(partitions: int) -> Iterator[str]:
    """Run the embedded broker with so many partitions, up to PER_TOPIC a topic; yield its address."""
    whole, rest = divmod(partitions, PER_TOPIC)
    topics = [f"--topic=kherd-bench-{number}:{PER_TOPIC}" for number in range(whole)]
    topics += [f"--topic=kherd-bench-{whole}:{rest}"] if rest else []
    with subprocess.Popen(  # noqa: S603 - our own command
        [sys.executable, "-m", "kherd", "broker", *topics],
        stdout=subprocess.PIPE,
        text=True,
        preexec_fn=partial(kernel.die_with_parent, os.getpid()),  # noqa: PLW1509 - this process has no thread
    ) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip()
        finally:
            process.terminate()


def commit(bootstrap: str, keys: Sequence[Key]) -> None:
    """Have the group commit every partition: an answer with offsets is longer than one without."""
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": GROUP, "log_level": 2})
    for start in range(0, len(keys), CHUNK):
        offsets = [TopicPartition(*key, COMMITTED) for key in keys[start : start + CHUNK]]
        consumer.commit(offsets=offsets, asynchronous=False)
    consumer.close()


def sweep(reader: Reader, keys: Sequence[Key], *, fresh: bool = False) -> tuple[float, float]:
    """Return the seconds, and the CPU seconds of this process, of one sweep.

    Raises:
        ClickException: it is incomplete, and so not what is measured.
    """
    began, cpu = time.perf_counter(), time.process_time()
    positions, reason = reader.read(keys, fresh=fresh)
    seconds, cpu = time.perf_counter() - began, time.process_time() - cpu
    if reason is not None or any(position.committed != COMMITTED for position in positions):
        raise click.ClickException(f"an incomplete sweep: {reason or 'a commit is missing'}")
    return seconds, cpu


def spread(sweeps: Sequence[tuple[float, float]]) -> dict[str, Any]:
    """Return seconds per sweep: median, least, most, each of them, and the median of the CPU seconds."""
    seconds = [round(one, 4) for one, _ in sweeps]
    cpu = round(median(cpu for _, cpu in sweeps), 4)
    found = {"median": round(median(seconds), 4), "least": min(seconds), "most": max(seconds), "cpu": cpu}
    return {**found, "seconds": seconds}


if __name__ == "__main__":
    main()
