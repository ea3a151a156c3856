"""Children that ignore TERM or left the session, endless threads: the herd goes on, its stop leaves none of them."""

import os
import signal
from pathlib import Path

from kherd.testing.plugin import NewHerd, NewTopic
from kherd.testing.topics import Cluster

from ..fakes.madness import madness
from ..fakes.processes import state, until

HANDLER = """
import subprocess

DEAF = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(flush=True); time.sleep(3600)"

def go_mad(message):
    for name, away in (("near", False), ("far", True)):
        child = subprocess.Popen([sys.executable, "-c", DEAF], start_new_session=away, stdout=subprocess.PIPE)
        child.stdout.readline()
        with open(f"{LEDGER_PATH}.{name}", "a") as file:
            file.write(f"{child.pid}\\n")
    for _ in range(10):
        threading.Thread(target=time.sleep, args=[3600]).start()
"""


def test_none_is_left(kafka: Cluster, topic: NewTopic, herd: NewHerd) -> None:
    scene = madness(kafka, topic, herd, HANDLER)
    one = scene.herd
    scene.put(b"mad", b"1")
    scene.done()

    # When the worker is killed, then its group goes with it; who has left the group is adopted, and nobody's zombie
    os.kill(scene.pid(scene.mad), signal.SIGKILL)
    one.wait_event("child_died")
    one.wait_ready(2)
    near, far = (int((one.folder / f"ledger.{name}").read_text()) for name in ("near", "far"))
    until(lambda: state(near) is None)
    assert (state(far), parent(far)) == ("S", one.pid)
    scene.put(b"mad", b"1")
    scene.done()

    # When the herd stops, then within its deadline, with 0, and nothing is left
    one.stop(code=0)
    left = [int(pid) for name in ("near", "far") for pid in (one.folder / f"ledger.{name}").read_text().split()]
    assert len(left) == 4
    assert [state(pid) for pid in left] == [None] * 4
    assert one.events("strangers_killed")[0]["count"] == 2
    assert one.events("child_killed") == []


def parent(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
