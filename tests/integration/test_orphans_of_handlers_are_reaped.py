"""A process that a worker leaves behind is killed with it, or adopted and reaped if it left the group: no zombie."""

import os
import signal
from pathlib import Path

from ..fakes.herd import standin
from ..fakes.processes import alive, state

HANDLER = """
import os, time
from pathlib import Path

def handle(message): ...

for name, seconds in (("in the group", 3600), ("out of the group", 0.3)):
    pid = os.fork()
    if pid == 0:
        if name == "out of the group":
            os.setpgid(0, 0)
        time.sleep(seconds)
        os._exit(7)
    Path(__file__).with_name(name).write_text(str(pid))
"""


def test_none_of_them_stays(tmp_path: Path) -> None:
    with standin(tmp_path, HANDLER, app={"preload": False}, workers={"count": 1}) as herd:
        herd.ready(1)
        inside, outside = (int((tmp_path / name).read_text()) for name in ("in the group", "out of the group"))
        assert alive(inside)
        (worker,) = herd.pids()
        os.kill(worker, signal.SIGKILL)
        herd.until(lambda: state(inside) is None, what="the process in the worker's group is killed and reaped")
        herd.until(lambda: herd.events("stranger_reaped", child_pid=outside), what="the escaped one is reaped")
        assert herd.events("stranger_reaped", child_pid=outside)[0]["cause"] == "exit 7"
        assert herd.zombies() == []
        assert herd.stop() == 0
