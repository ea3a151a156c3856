"""A handler that prints 20 MB (100 MB in a full run) to a log that is read slowly: nobody else waits for the reader."""

import os
import signal
import threading
import time
from pathlib import Path

from kherd.testing.plugin import NewHerd, NewTopic
from kherd.testing.results import count
from kherd.testing.topics import Cluster

from ..fakes.madness import madness
from ..fakes.processes import until

LINE = 1000
HANDLER = f"""
def go_mad(message):
    for _ in range({{lines}} // 2):
        print("x" * {LINE - 1})
        print("y" * {LINE - 1}, file=sys.stderr)
    sys.stdout.flush()
"""
PAUSE = 1.0
"""Seconds for which nobody reads at all."""


class SlowReader(threading.Thread):
    """Reads what a herd writes from a pipe, not at all for a while, and passes on what are events."""

    def __init__(self, pipe: Path, log: Path) -> None:
        super().__init__(daemon=True)
        self._fd = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
        self._log = log
        self.bytes = 0
        self.reading = threading.Event()
        self.reading.set()
        self.start()

    def run(self) -> None:
        left = b""
        while True:
            self.reading.wait()
            try:
                data = os.read(self._fd, 65_536)
            except BlockingIOError:
                data = b""
            if not data:
                time.sleep(0.01)
                continue
            self.bytes += len(data)
            *lines, left = (left + data).split(b"\n")
            with self._log.open("ab") as log:
                log.writelines(line + b"\n" for line in lines if not line.startswith((b"xxx", b"yyy")))


def test_nobody_waits_for_the_reader(kafka: Cluster, topic: NewTopic, herd: NewHerd, tmp_path: Path) -> None:
    # Given a herd whose log is a pipe
    pipe, log = tmp_path / "pipe", tmp_path / "herd-0" / "kherd.log"
    os.mkfifo(pipe)
    reader = SlowReader(pipe, log)
    lines = count(100_000, 20_000)
    redirected = ("sh", "-c", f'exec "$@" > {pipe} 2>&1', "sh")
    scene = madness(kafka, topic, herd, HANDLER.replace("{lines}", str(lines)), within=redirected)
    one = scene.herd

    # When the handler prints a flood and nobody reads, then it waits in its call, as a print does, but nobody else
    reader.reading.clear()
    scene.put(b"mad", b"1")
    until(lambda: any(slot["in_flight"] for slot in one.status()["slots"]))
    began = time.monotonic()
    while time.monotonic() - began < PAUSE:
        asked = time.monotonic()
        assert one.status()["workers"]["ready"] == 2
        assert time.monotonic() - asked < PAUSE

    # When it is read again, then all of it comes, and the record is done
    reader.reading.set()
    scene.done()
    until(lambda: reader.bytes >= lines * LINE)
    assert one.events("child_died") == []
    one.stop(code=0)


def test_a_stop_does_not_wait_for_the_reader_either(
    kafka: Cluster, topic: NewTopic, herd: NewHerd, tmp_path: Path
) -> None:
    pipe, log = tmp_path / "pipe", tmp_path / "herd-0" / "kherd.log"
    os.mkfifo(pipe)
    reader = SlowReader(pipe, log)
    redirected = ("sh", "-c", f'exec "$@" > {pipe} 2>&1', "sh")
    tables = {"workers": {"count": 2, "handler_timeout": 1.5}, "stop": {"timeout": 5}}
    scene = madness(kafka, topic, herd, HANDLER.replace("{lines}", "1000"), within=redirected, tables=tables)
    reader.reading.clear()
    scene.put(b"mad")
    until(lambda: any(slot["in_flight"] for slot in scene.herd.status()["slots"]))
    began = time.monotonic()
    scene.herd.signal(signal.SIGTERM)
    until(lambda: not scene.herd.alive)
    assert time.monotonic() - began < 5 + 3
    reader.reading.set()
