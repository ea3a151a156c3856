"""A handler that writes garbage to its worker's channel, closes it, or floods it: the others go on, it is replaced."""

import os
import signal
from pathlib import Path

import pytest

from ..fakes.herd import standin

CHANNEL = """
import os

def channels():
    for name in os.listdir("/proc/self/fd"):
        try:
            if os.readlink(f"/proc/self/fd/{name}").startswith("socket:"):
                yield int(name)
        except OSError:
            pass

def handle(message): ...

if os.path.exists(__file__ + ".armed"):
    os.unlink(__file__ + ".armed")
    for fd in channels():
"""
MISCHIEF = {
    "garbage": "        os.write(fd, b'garbage')",
    "no type": "        os.write(fd, b'{}')",
    "a type nobody knows": '        os.write(fd, b\'{"type": "surprise"}\')',
    "closed": "        os.close(fd)",
    "flood": "        for _ in range(20000):\n"
    '            try:\n                os.write(fd, b\'{"type": "surprise"}\')\n'
    "            except BlockingIOError:\n                pass",
    "a second announcement": '        os.write(fd, b\'{"type": "announced", "pid": 1}\')',
    "ready before its time": '        os.write(fd, b\'{"type": "ready"}\')',
}


@pytest.mark.parametrize("mischief", MISCHIEF)
def test_the_herd_goes_on(tmp_path: Path, mischief: str) -> None:
    code = CHANNEL + MISCHIEF[mischief] + "\n"
    app, workers = {"preload": False}, {"count": 2, "start_timeout": 1}
    with standin(tmp_path, code, app=app, workers=workers, restart={"backoff_max": 0.2}) as herd:
        herd.ready(2)
        pids = {one["slot"]: one["pid"] for one in herd.status()["slots"]}
        (tmp_path / "orders.py.armed").touch()
        os.kill(pids[0], signal.SIGKILL)
        herd.until(lambda: not (tmp_path / "orders.py.armed").exists(), what="the mischief")
        herd.ready(2)
        assert pids[1] in herd.pids()
        assert herd.stop() == 0
