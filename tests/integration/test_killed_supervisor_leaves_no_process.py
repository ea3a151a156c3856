"""The supervisor killed with SIGKILL at a random instant of start or spawn: no process of it is left after a second."""

import signal
import time
from functools import partial
from pathlib import Path

from kherd.testing.results import report, spread

from ..fakes.herd import StandIn, dice, standin, trials
from ..fakes.processes import until

START = 0.15
"""Seconds in which mold, liaison and workers come to be, about."""


def test_nothing_survives_it(tmp_path: Path) -> None:
    rng = dice()
    seconds = []
    for trial in range(trials(15, 300)):
        folder = tmp_path / str(trial)
        folder.mkdir()
        with standin(folder, workers={"count": 4}) as herd:
            if rng.random() < 0.5:
                herd.ready(4)
                herd.signal(signal.SIGTTIN)
            time.sleep(rng.uniform(0, START))
            herd.process.kill()
            herd.process.wait()
            killed = time.monotonic()
            until(partial(_gone, herd), 1.0, f"trial {trial}: left behind")
            seconds.append(time.monotonic() - killed)
    report("killed_supervisor", {"seconds_until_nothing_is_left": spread(seconds)})


def test_the_next_supervisor_takes_the_name_and_the_folder_over(tmp_path: Path) -> None:
    with standin(tmp_path, workers={"count": 2}) as first:
        first.ready(2)
        first.process.kill()
        first.process.wait()
        with standin(tmp_path, workers={"count": 2}) as second:
            second.ready(2)
            assert second["life"]
            assert len(list((tmp_path / "state" / "board").iterdir())) == 2
            assert second.stop() == 0
            assert list((tmp_path / "state" / "board").iterdir()) == []


def _gone(herd: StandIn) -> bool:
    return not herd.left()
