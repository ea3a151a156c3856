"""`python -m kherd.bench.preload`: what preloading, and freezing the image before the first fork, save per worker.

PSS (`/proc/PID/smaps_rollup`: a page that n processes share counts one nth for each of them) of idle workers, and again
after each has made a full garbage collection, which writes to every object it has not been told to leave alone.
"""

import json
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from signal import SIGKILL, pidfd_send_signal
from statistics import median
from typing import Any, Final

import click
from confluent_kafka import Producer

from ..testing.herd import Herd
from ..testing.wait import until
from ..worker import clock
from .environment import environment

WORKERS: Final = 4
KILLS: Final = 5
REST: Final = 2.0
"""Seconds after all have their partitions until they are looked at."""
START: Final = 60.0
SMALL: Final = "import gc, json, os\n"
LARGE: Final = """
import gc, os

class Record:
    def __init__(self, number):
        self.number, self.tags = number, [number, str(number)]

DATA = [Record(number) for number in range(460_000)]
"""
"""About 150 MB of objects that the collector looks at: dicts and tuples of text and numbers it would leave alone."""
UNFROZEN: Final = "gc.freeze = lambda: None\n"
"""What the mold calls after it has imported this."""
HANDLE: Final = """
def handle(message):
    gc.collect()
    open(f"{LEDGER_PATH}.{os.getpid()}", "w").close()
"""
APPS: Final = {"small": SMALL, "150 MB": LARGE}
WAYS: Final[Mapping[str, tuple[bool, str]]] = {
    "preloaded": (True, ""),
    "preloaded, not frozen": (True, UNFROZEN),
    "not preloaded": (False, ""),
}


@dataclass(frozen=True, slots=True)
class Found:
    """Medians over the workers: MiB when idle, MiB after a full collection; milliseconds from a death to the fork."""

    idle: float
    collected: float
    respawn: float

    def document(self) -> dict[str, float]:
        """Return it for JSON."""
        return {"idle_mib": self.idle, "collected_mib": self.collected, "respawn_ms": self.respawn}


def measure(
    workers: int = WORKERS, kills: int = KILLS, told: Callable[[str], None] = lambda _: None
) -> dict[str, dict[str, Found]]:
    """Return app -> way -> what was found; tells `told` what it does."""
    found: dict[str, dict[str, Found]] = {}
    for app, source in APPS.items():
        for way, (preload, more) in WAYS.items():
            told(f"{app}: {way}")
            with herd_of(source + more + HANDLE, workers, preload=preload) as herd:
                found.setdefault(app, {})[way] = measured(herd, workers, kills)
    return found


def pss(pid: int) -> float:
    """Return the proportional set size of a process in MiB."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024


@contextmanager
def herd_of(source: str, workers: int, *, preload: bool) -> Iterator[Herd]:
    """Run a herd on an embedded broker of its own."""
    config = {
        "app": {"preload": preload},
        "kafka": {"bootstrap": "embedded", "topics": ["preload"]},
        "workers": {"count": workers},
    }
    with tempfile.TemporaryDirectory(prefix="kherd-bench-") as folder, Herd(Path(folder), config, source) as herd:
        yield herd
        herd.stop()


def measured(herd: Herd, workers: int, kills: int) -> Found:
    """Return what a herd of `workers` needs, and how quickly worker 0 comes back from so many kills."""
    document = herd.wait_status(_shared, START)
    clock.sleep(REST)
    pids = [slot["pid"] for slot in document["slots"]]
    idle = [pss(pid) for pid in pids]
    _collect(herd, document, pids)
    clock.sleep(REST)
    collected = [pss(pid) for pid in pids]
    return Found(*(round(median(one), 2) for one in (idle, collected, _respawns(herd, workers, kills) or [0.0])))


def _shared(document: Mapping[str, Any]) -> bool:
    return document["workers"]["ready"] == document["workers"]["wanted"] and all(
        slot["partitions"] for slot in document["slots"]
    )


def _collect(herd: Herd, document: Mapping[str, Any], pids: list[int]) -> None:
    """Send each worker a record, at which its handler collects."""
    producer = Producer({"bootstrap.servers": document["services"]["broker"]["bootstrap"], "log_level": 0})
    for slot in document["slots"]:
        producer.produce("preload", b"", partition=slot["partitions"][0]["partition"])
    producer.flush(START)
    until(lambda: all(Path(f"{herd.ledger}.{pid}").exists() for pid in pids), START, "a collection in each worker")


def _respawns(herd: Herd, workers: int, kills: int) -> list[float]:
    """Return the milliseconds from the end of a worker to the fork of the next, by the log."""
    for number in range(1, kills + 1):
        slot = herd.wait_ready(workers, START)["slots"][0]
        clock.sleep(1.5)  # long enough ready for a restart at once
        _kill(slot["pid"])
        herd.wait_event("child_died", count=number)
        herd.wait_event("child_started", count=number + 1, child="worker 0")
    died, started = herd.events("child_died"), herd.events("child_started", child="worker 0")[1:]
    return [(_at(after) - _at(before)) * 1000 for before, after in zip(died, started, strict=True)]


def _kill(pid: int) -> None:
    pidfd = os.pidfd_open(pid)
    pidfd_send_signal(pidfd, SIGKILL)
    os.close(pidfd)


def _at(event: Mapping[str, Any]) -> float:
    return datetime.fromisoformat(event["time"]).timestamp()


@click.command()
@click.option("--workers", type=click.IntRange(min=1), default=WORKERS, show_default=True)
@click.option("--kills", type=click.IntRange(min=1), default=KILLS, show_default=True)
def main(workers: int, kills: int) -> None:
    """Measure it on the embedded broker, and print one line of JSON."""
    found = measure(workers, kills, lambda text: click.echo(text, err=True))
    rows = {app: {way: one.document() for way, one in ways.items()} for app, ways in found.items()}
    click.echo(json.dumps({"version": 1, "workers": workers, "found": rows, "environment": environment()}))


if __name__ == "__main__":
    main()
