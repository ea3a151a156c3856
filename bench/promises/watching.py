"""A process watched from outside, through /proc: its children, its time on a core, how often it woke up."""

import os
import signal
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ...worker import clock

GLANCE: Final = 0.0002
"""Seconds between two looks: what a death and a birth are known to, about."""
PATIENCE: Final = 10.0
SECOND: Final = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Succession:
    """A child was killed and another came, in seconds after the kill."""

    reaped: float
    forked: float

    @property
    def respawn(self) -> float:
        """Return the seconds from reaped to forked; 0 if both were seen at one look."""
        return self.forked - self.reaped


@dataclass(frozen=True, slots=True)
class Effort:
    """What a process has used so far, and when that was read (monotonic seconds)."""

    at: float
    cpu: float
    """Seconds on a core."""
    wakeups: int
    """Voluntary context switches: each time it has waited for something."""


def children(pid: int) -> set[int]:
    """Return the pids of the children of a process of one thread."""
    return set(map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split()))


def kill_and_watch(parent: int, victim: int) -> Succession:
    """Kill a child of `parent` and watch until it is reaped and there is a new one.

    Raises:
        TimeoutError: there is none.
    """
    before = children(parent)
    gone = Path(f"/proc/{victim}")
    began = clock.monotonic()
    os.kill(victim, signal.SIGKILL)
    reaped: float | None = None
    while True:
        now = clock.monotonic() - began
        # In this order: what is born between the two looks is not older than the death.
        born = children(parent) - before
        if reaped is None and not gone.exists():
            reaped = now
        if reaped is not None and born:
            return Succession(reaped, max(reaped, now))
        if now > PATIENCE:
            raise TimeoutError(f"no successor of pid {victim} within {PATIENCE:g} s")
        clock.sleep(GLANCE)


def effort(pid: int) -> Effort:
    """Return what process `pid` has used: all its threads, which have to be alive."""
    tasks = list(Path(f"/proc/{pid}/task").iterdir())
    cpu = sum(int((task / "schedstat").read_text().split()[0]) for task in tasks)
    lines = [line for task in tasks for line in (task / "status").read_text().splitlines()]
    wakeups = sum(int(line.split()[1]) for line in lines if line.startswith("voluntary_ctxt_switches"))
    return Effort(clock.monotonic(), cpu / SECOND, wakeups)
