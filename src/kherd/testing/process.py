"""Real processes of the tests: none of them outlives the run."""

import os
import select
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

LEASH: Final = Path(__file__).with_name("leash.py")


class Process:
    """A program in a session of its own, its output appended to `log`, killed by the kernel if this run dies.

    It inherits the descriptors in `keep`, under their numbers.

    To be made in the main thread only: the kernel watches the thread that starts a process, not the process.
    It is reaped by `kill` and `stop` alone, so that until then its pid and process group cannot be another's.
    """

    def __init__(
        self,
        command: Sequence[str | Path],
        *,
        log: Path,
        cwd: Path | None = None,
        env: Mapping[str, str] | None = None,
        keep: Sequence[int] = (),
    ) -> None:
        if threading.current_thread() is not threading.main_thread():
            raise RuntimeError("start processes from the main thread: the kernel would kill them at this thread's end")
        self.command = tuple(map(str, command))
        self.log = log
        leash = [sys.executable, "-I", "-S", str(LEASH), str(os.getpid())]
        with log.open("ab") as output:
            self._popen = subprocess.Popen(
                [*leash, *self.command],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=cwd,
                env=env,
                start_new_session=True,
                pass_fds=keep,
            )
        self._pidfd = os.pidfd_open(self._popen.pid)
        self._code: int | None = None

    @property
    def pid(self) -> int:
        """Its pid, also the id of its process group and session."""
        return self._popen.pid

    @property
    def alive(self) -> bool:
        """Whether it has not ended."""
        return not self.ended(0)

    def ended(self, seconds: float) -> bool:
        """Wait for its end, at most `seconds`; return whether it has come."""
        if self._code is not None:
            return True
        return bool(select.select([self._pidfd], [], [], seconds)[0])

    def send(self, number: signal.Signals) -> None:
        """Signal it, not its group; one that has ended is left alone."""
        if self._code is None:
            with suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._pidfd, number)

    def stop(self, seconds: float) -> int:
        """Have it end by SIGTERM within `seconds`, or kill it; return its code as `kill` does."""
        self.send(signal.SIGTERM)
        self.ended(seconds)
        return self.kill()

    def kill(self) -> int:
        """Kill it and what is left of its group; return its exit code, or minus the signal. May be called again."""
        if self._code is None:
            with suppress(ProcessLookupError):
                os.killpg(self.pid, signal.SIGKILL)
            self._code = self._popen.wait()
            os.close(self._pidfd)
        return self._code


def tail(log: Path, lines: int = 40) -> str:
    """Return the last `lines` of a log that may not exist."""
    try:
        text = log.read_text(errors="replace")
    except FileNotFoundError:
        return "(no log)"
    return "\n".join(text.splitlines()[-lines:])
