"""A machine that stands still for a while: a worker in the middle of its start is not blamed for the lost time."""

import os
import signal
import time
from pathlib import Path

from ..fakes.herd import standin

CODE = """
import os, time
if os.path.exists(__file__ + ".slow"):
    open(__file__ + ".begun", "w").close()
    time.sleep(3)
def handle(message): ...
"""
START_TIMEOUT = 5
AWAY = 6.0


def test_a_suspension(tmp_path: Path) -> None:
    # Given two workers, one of them in the middle of a start that takes most of what it may
    with standin(tmp_path, CODE, app={"preload": False}, workers={"count": 2, "start_timeout": START_TIMEOUT}) as herd:
        herd.ready(2)
        (tmp_path / "orders.py.slow").touch()
        os.kill(herd.pids()[0], signal.SIGKILL)
        herd.until((tmp_path / "orders.py.begun").exists, what="the start")
        pids = herd.pids()

        # When all of them stand still for longer than that
        everybody = [herd.process.pid, *pids]
        for pid in everybody:
            os.kill(pid, signal.SIGSTOP)
        time.sleep(AWAY)
        for pid in everybody:
            os.kill(pid, signal.SIGCONT)

        # Then the start goes on to its end, and nobody has been replaced
        herd.ready(2)
        assert herd.pids() == pids
        (suspended,) = herd.events("suspended")
        assert suspended["seconds"] > AWAY - 2
        assert herd.events("child_hangs") == herd.events("child_killed") == []
        assert herd.stop() == 0
