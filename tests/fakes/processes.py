"""Real child processes of a test: forked, told apart, ended by pid, never left behind."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path


@dataclass
class Child:
    """A forked process that has done its work and waits to be ended."""

    pid: int
    ended: bool = False

    def end(self, number: signal.Signals) -> int:
        """Send a signal and return the exit status, negative for a signal."""
        os.kill(self.pid, number)
        return self.wait()

    def wait(self) -> int:
        """Return the exit status of the process."""
        _, status = os.waitpid(self.pid, 0)
        self.ended = True
        return os.waitstatus_to_exitcode(status)


@contextmanager
def child(work: Callable[[], object], *, stay: bool = True) -> Iterator[Child]:
    """Fork a process that does `work`; if it is to `stay`, the block begins when that is done, and its end ends it."""
    reads, writes = os.pipe()
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            kept = work()
            os.write(writes, b"done")
            while stay:
                signal.pause()
            del kept
            code = 0
        finally:
            os._exit(code)
    os.close(writes)
    one = Child(pid)
    try:
        if stay:
            assert os.read(reads, 4) == b"done"
        yield one
    finally:
        os.close(reads)
        if not one.ended:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
            one.wait()


def until(condition: Callable[[], object], seconds: float = 10.0, what: str = "") -> None:
    """Return when `condition` holds; fail after `seconds`."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, what or f"not within {seconds:g} s"
        time.sleep(0.002)


def alive(pid: int) -> bool:
    """Whether `pid` is a process that is not a zombie."""
    return state(pid) not in {None, "Z", "X"}


def state(pid: int) -> str | None:
    """Return the state letter of `pid` from proc(5), None if there is no such process."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return None


def children_of(pid: int) -> list[int]:
    """Return the pids of the direct children of `pid`, zombies included."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                text = (entry / "stat").read_text()
            except (FileNotFoundError, ProcessLookupError):
                continue
            if int(text.rpartition(")")[2].split()[1]) == pid:
                found.append(int(entry.name))
    return sorted(found)
