"""A command in a temporary folder of its own, and everything that it leaves behind there."""

import os
import signal
import sys
from pathlib import Path

import psutil

from kherd.testing.process import Process, tail
from kherd.testing.wait import until

MARK = "KHERD_TEST_ROOM"


class Room:
    """Runs `kherd` with TMPDIR at `path`; every process it starts carries a mark in its environment."""

    def __init__(self, path: Path) -> None:
        self.path = path / "room"
        self.path.mkdir()
        self.log = path / "output.log"
        self._mark = f"{path}"

    def start(self, *arguments: str) -> Process:
        """Start `kherd ARGUMENTS`."""
        if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
            # A test run in a shell's background ignores SIGINT, and exec would hand that on.
            signal.signal(signal.SIGINT, signal.default_int_handler)
        env = {**os.environ, "TMPDIR": str(self.path), MARK: self._mark}
        return Process([sys.executable, "-m", "kherd", *arguments], log=self.log, env=env)

    def wait_for(self, text: str, seconds: float) -> None:
        """Wait until the output contains `text`."""
        until(lambda: self.log.exists() and text in self.log.read_text(), seconds, f"{text!r} in:\n{tail(self.log)}")

    def processes(self) -> list[psutil.Process]:
        """Return the processes that carry the mark and are no zombies."""
        found = []
        for one in psutil.process_iter():
            try:
                if one.environ().get(MARK) == self._mark and one.status() != psutil.STATUS_ZOMBIE:
                    found.append(one)
            except psutil.Error:
                continue
        return found

    def empty(self) -> bool:
        """Whether neither a process nor a file is left."""
        return not self.processes() and not list(self.path.iterdir())
