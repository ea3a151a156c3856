"""Many real processes and one table: never two probes at once, no state torn, and who is killed keeps nobody out."""

import os
import random
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from kherd.supervisor.breakers import Breakers as Supervised
from kherd.worker.breaker import CircuitBreaker
from kherd.worker.breakers import BREAKERS
from kherd.worker.breakerslot import Slot
from kherd.worker.breakertable import FILE, Table
from kherd.worker.decide.breaker import State
from kherd.worker.errors import BreakerOpen

PROCESSES, ROUNDS = 6, 12
STUCK = 0.2
"""Share of the probes that never end: their processes are killed."""


class Callers:
    """Forked processes that call through the breaker `db` until they are killed; each probe is noted as in and out."""

    def __init__(self, folder: Path) -> None:
        self.table, self.log = folder / FILE, folder / "log"
        self.pids: set[int] = set()

    def start(self) -> None:
        pid = os.fork()
        if pid == 0:
            try:
                self._call()
            finally:
                os._exit(1)
        self.pids.add(pid)

    def kill(self, pid: int) -> None:
        """Kill and reap one, and note that its probe, if it was one, is over."""
        self.pids.discard(pid)
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        note(self.log, "out", pid)

    def _call(self) -> None:
        table = Table.open(self.table)
        BREAKERS.attach(table, 60.0, {})
        rng = random.Random(os.getpid())
        breaker = CircuitBreaker("db", failure_threshold=3, timeout=0.01)

        def work() -> None:
            slot = table.find("db")
            known = None if slot is None else slot.load()
            probing = known is not None and known.state is State.HALF_OPEN and known.holder.pid == os.getpid()
            if probing:
                note(self.log, "in", os.getpid())
                time.sleep(3600 if rng.random() < STUCK else rng.choice([0, 0.002]))
                note(self.log, "out", os.getpid())
            if rng.random() < 0.5:
                raise OSError

        while True:
            try:
                breaker.call(work)
            except (OSError, BreakerOpen):
                time.sleep(0.001)


def note(log: Path, what: str, pid: int) -> None:
    with log.open("ab", buffering=0) as file:
        file.write(b"%s %d\n" % (what.encode(), pid))


@pytest.fixture
def callers(tmp_path: Path) -> Iterator[Callers]:
    made = Callers(tmp_path)
    yield made
    for pid in list(made.pids):
        made.kill(pid)


def watch(slot: Slot, seconds: float) -> int:
    """Look at it all the time; return how often it had changed."""
    changes, last = 0, -1
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        known = slot.load()
        assert known is not None
        assert known.serial >= last
        changes += known.serial != last
        last = known.serial
    return changes


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def test_there_is_one_probe_at_a_time_whoever_is_killed(callers: Callers, tmp_path: Path) -> None:
    supervised, rng = Supervised(tmp_path), random.Random(1)
    for _ in range(PROCESSES):
        callers.start()
    table = Table.open(tmp_path / FILE)
    until(lambda: table.find("db") is not None)
    slot = table.find("db")
    assert slot is not None
    changes = 0
    for _ in range(ROUNDS):
        changes += watch(slot, 0.1)
        # Kill whoever has the probe, in the middle of it as often as not, or else anybody.
        known = slot.load()
        holder = known.holder.pid if known is not None else 0
        pid = holder if holder in callers.pids else rng.choice(sorted(callers.pids))
        callers.kill(pid)
        supervised.buried(pid, "killed", hung=rng.random() < 0.3)
        callers.start()
        before = slot.load()
        assert before is not None
        while not free(slot, pid):
            supervised.tick()
    assert changes > ROUNDS
    assert sum(line.startswith("in") for line in callers.log.read_text().splitlines()) > ROUNDS / 2
    assert most_at_once(callers.log) == 1
    assert table.problem() is None
    table.close()


def free(slot: Slot, pid: int) -> bool:
    known = slot.load()
    return known is not None and known.holder.pid != pid


def most_at_once(log: Path) -> int:
    inside: set[str] = set()
    most = 0
    for line in log.read_text().splitlines():
        what, pid = line.split()
        if what == "in":
            inside.add(pid)
        else:
            inside.discard(pid)
        most = max(most, len(inside))
    return most
