"""TERM at a random instant of the supervisor's own start: it ends at once with exit code 0, and nothing is left."""

import signal
import time
from functools import partial
from pathlib import Path

from ..fakes.herd import StandIn, dice, trials
from ..fakes.processes import until

START = 0.2
"""Seconds from the first log line until all workers are ready, about."""


def test_it_is_not_lost_and_leaves_nothing(tmp_path: Path) -> None:
    rng = dice()
    ends: list[int] = []
    for trial in range(trials(12, 300)):
        folder = tmp_path / str(trial)
        folder.mkdir()
        (folder / "orders.py").write_text("def handle(message): ...\n")
        herd = StandIn(folder, {}, workers={"count": 3})
        if rng.random() < 0.8:  # else it is still importing, most likely
            until(herd.log)
        time.sleep(rng.uniform(0, START))
        herd.signal(signal.SIGTERM)
        code = herd.process.wait(10.0)
        until(partial(_gone, herd), 1.0, "left behind")
        # Before its handlers are there, and before it has forked anything, TERM ends it as it ends any process.
        assert code in {0, -signal.SIGTERM}
        assert code == 0 or not herd.events("child_started", pid=herd.process.pid)
        ends.append(code)
    print(f"exit codes: {ends}")  # noqa: T201 - at which instants the signals struck


def _gone(herd: StandIn) -> bool:
    return not herd.left()
