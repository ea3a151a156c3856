"""`python -m kherd.bench.throughput`: kherd's worker against the consumer loop an expert would write, in one run."""

import json
import os
import random
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any, Final

import click

from ..worker import kernel
from . import topic as topics
from .contenders import Course, Trial, TrialError, kherd, raw
from .spread import ratio

PROMISES: Final = {"record": 0.80, "batch": 1.00}
CONTENDERS: Final[dict[str, Callable[[Course, Path], Trial]]] = {
    "raw": raw,
    "record": partial(kherd, "record"),
    "batch": partial(kherd, "batch"),
}


@click.command()
@click.option("--bootstrap", default="embedded", show_default=True, help="A real Kafka, or the embedded broker.")
@click.option("--records", type=click.IntRange(min=1), default=500_000, show_default=True)
@click.option(
    "--size", type=click.IntRange(min=1, max=100_000), default=100, show_default=True, help="Bytes of a value."
)
@click.option(
    "--rounds", type=click.IntRange(min=1), default=10, show_default=True, help="Each has every contender once."
)
@click.option("--protocol", type=click.Choice(["consumer", "classic"]), default="consumer", show_default=True)
def main(bootstrap: str, records: int, size: int, rounds: int, protocol: Any) -> None:
    """Read one topic again and again, by turns, and print ratios with their spread as one line of JSON."""
    embedded = bootstrap == "embedded"
    name = f"kherd-bench-{records}-{size}"
    partitions = topics.partitions_for(records, size, embedded=embedded)
    rng = random.Random(0)
    try:
        with broker(name, partitions) if embedded else real(bootstrap, name, partitions) as address:
            topics.in_child(lambda: topics.fill(address, name, records, size))
            course = Course(address, name, records, embedded, protocol)
            trials = compete(course, rounds, rng)
    except (TrialError, topics.FillError) as error:
        raise click.ClickException(str(error)) from error
    facts = {"bootstrap": bootstrap, "records": records, "size": size, "partitions": partitions, "protocol": protocol}
    print(json.dumps({**facts, "rounds": rounds, **summary(records, trials, rng)}))


@contextmanager
def broker(name: str, partitions: int) -> Iterator[str]:
    """Run the embedded broker with one topic; yield its address."""
    command = [sys.executable, "-m", "kherd", "broker", "--topic", f"{name}:{partitions}"]
    with subprocess.Popen(  # noqa: S603 - our own command
        command,
        stdout=subprocess.PIPE,
        text=True,
        preexec_fn=partial(kernel.die_with_parent, os.getpid()),  # noqa: PLW1509 - this process has no thread
    ) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip()
        finally:
            process.terminate()


@contextmanager
def real(bootstrap: str, name: str, partitions: int) -> Iterator[str]:
    """Have the topic on a real Kafka; it stays, for the next run."""
    topics.in_child(lambda: topics.ensure(bootstrap, name, partitions))
    yield bootstrap


def compete(course: Course, rounds: int, rng: random.Random) -> dict[str, list[Trial]]:
    """Return the trials: every contender once per round, in an order that is drawn anew."""
    trials: dict[str, list[Trial]] = {name: [] for name in CONTENDERS}
    for number in range(1, rounds + 1):
        for name in rng.sample(list(CONTENDERS), k=len(CONTENDERS)):
            with tempfile.TemporaryDirectory(prefix="kherd-bench-") as folder:
                trial = CONTENDERS[name](course, Path(folder))
            trials[name].append(trial)
            print(f"{number:3} {name:7} {course.records / trial.seconds:12,.0f} records/s", file=sys.stderr)
    return trials


def summary(records: int, trials: dict[str, list[Trial]], rng: random.Random) -> dict[str, Any]:
    """Return speeds in records per second, CPU in microseconds per record, and ratios to the raw loop."""
    speeds = {name: [records / trial.seconds for trial in done] for name, done in trials.items()}
    found: dict[str, Any] = {}
    for name, done in trials.items():
        found[name] = {
            "median": round(median(speeds[name])),
            "least": round(min(speeds[name])),
            "most": round(max(speeds[name])),
            "cpu_us": round(median(trial.cpu for trial in done) / records * 1e6, 3),
        }
        if name in PROMISES:
            to_raw = ratio(speeds[name], speeds["raw"], rng)
            found[name]["ratio"] = round(to_raw.median, 3)
            found[name]["interval"] = [round(to_raw.low, 3), round(to_raw.high, 3)]
            found[name]["promise"] = PROMISES[name]
            found[name]["verdict"] = to_raw.verdict(PROMISES[name])
    return found


if __name__ == "__main__":
    main()
