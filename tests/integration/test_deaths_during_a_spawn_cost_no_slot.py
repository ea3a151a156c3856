"""The mold, or the process in between, killed or stopped at a random instant of a spawn: the slot recovers."""

import os
import random
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from ..fakes.herd import StandIn, dice, standin, trials
from ..fakes.processes import children_of, until

SPAWN = 0.012
RECOVERS = 15.0
"""Seconds: a start that is never announced is given up after start_timeout (1 s), then a short backoff follows."""


def _kill(pid: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def _stop(pid: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGSTOP)


def _mold(herd: StandIn, _: random.Random) -> int | None:
    pid: int | None = herd["services.mold.pid"]
    return pid


def _between(herd: StandIn, rng: random.Random) -> int | None:
    """The child of the mold, as soon as there is one; None if the spawn was over first."""
    mold = _mold(herd, rng)
    found: list[int] = []
    if mold is None:
        return None
    with suppress(AssertionError):
        until(lambda: found.extend(children_of(mold)) or found, 0.05)
    return found[0] if found else None


VICTIMS = {"mold": _mold, "in between": _between}
FATES = {"killed": _kill, "stopped": _stop}


@pytest.mark.parametrize("fate", FATES)
@pytest.mark.parametrize("victim", VICTIMS)
def test_the_slot_recovers(tmp_path: Path, victim: str, fate: str) -> None:
    rng = dice()
    find, strike = VICTIMS[victim], FATES[fate]
    restart = {"backoff_max": 0.2, "intensity": 1000}
    with standin(tmp_path, workers={"count": 1, "start_timeout": 1}, restart=restart) as herd:
        herd.ready(1)
        for _ in range(trials(8, 200)):
            herd.signal(signal.SIGTTIN)
            if victim == "mold":
                time.sleep(rng.uniform(0, SPAWN))
            _strike(herd, rng, find, strike)
            herd.ready(2, RECOVERS)
            _kill(herd.pids()[0])  # the next worker comes from the same mold, or from its successor
            herd.ready(2, RECOVERS)
            herd.signal(signal.SIGTTOU)
            herd.ready(1, RECOVERS)
            mold = _mold(herd, rng)
            if mold is not None:
                with suppress(ProcessLookupError):
                    os.kill(mold, signal.SIGCONT)
            assert herd.events("internal_error") == []
        herd.until(lambda: len(herd.left()) == 3, what="one worker, the mold and the liaison")
        assert herd.stop() in {0, 75}  # a mold that is stopped can only be killed


def _strike(
    herd: StandIn,
    rng: random.Random,
    find: Callable[[StandIn, random.Random], int | None],
    strike: Callable[[int], None],
) -> None:
    pid = find(herd, rng)
    if pid is not None:
        strike(pid)
