"""Folder, mask, environment, locale, limits, standard streams, descriptors: a handler changes only its own process."""

import os
import resource
from pathlib import Path

from kherd.testing.plugin import NewHerd, NewTopic
from kherd.testing.topics import Cluster

from ..fakes.madness import madness

HARMLESS = """
import gc, locale, resource, tempfile

def go_mad(message):
    os.chdir(tempfile.mkdtemp())
    os.rmdir(os.getcwd())
    os.umask(0o777)
    os.environ.clear()
    locale.setlocale(locale.LC_ALL, "C.UTF-8")
    os.nice(5)
    for limit, value in ((resource.RLIMIT_CORE, 0), (resource.RLIMIT_NPROC, 0), (resource.RLIMIT_NOFILE, 8)):
        resource.setrlimit(limit, (value, value))
    sys.setrecursionlimit(120)
    gc.disable()
    sys.stdout = sys.stderr = sys.stdin = None
    sys.modules.clear()
    threading.current_thread().name = "mad"
    os.closerange(0, 3)
"""
DEADLY = """
def go_mad(message):
    if first_time(message):
        os.closerange(0, 1 << 16)
"""


def test_a_worker_goes_on_with_what_it_has_left(kafka: Cluster, topic: NewTopic, herd: NewHerd) -> None:
    scene = madness(kafka, topic, herd, HARMLESS)
    one, mad, sane = scene.herd, scene.pid(scene.mad), scene.pid(scene.sane)
    before = seen(sane), seen(one.pid)
    scene.put(b"mad", b"1", b"2")
    handled = scene.done()
    assert handled.duplicates() == {}
    assert scene.pid(scene.mad) == mad
    assert (seen(sane), seen(one.pid)) == before
    one.stop(code=0)
    assert one.events("child_killed") == []


def test_one_that_closes_every_descriptor_is_replaced(kafka: Cluster, topic: NewTopic, herd: NewHerd) -> None:
    scene = madness(kafka, topic, herd, DEADLY)
    mad = scene.pid(scene.mad)
    scene.put(b"mad", b"1", b"2")
    scene.done()
    scene.herd.wait_event("child_died", child_pid=mad)
    assert scene.pid(scene.mad) != mad
    assert len(scene.herd.events("child_died")) == 1
    scene.herd.stop(code=0)


def seen(pid: int) -> tuple[str, str, tuple[int, int], int]:
    """Return what of a process another one could have spoiled: its folder, mask, limit of descriptors, niceness."""
    status = dict(line.split(":\t", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    limit = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    return str(Path(f"/proc/{pid}/cwd").readlink()), status["Umask"], limit, os.getpriority(os.PRIO_PROCESS, pid)
