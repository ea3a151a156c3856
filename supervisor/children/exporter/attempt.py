"""One attempt to deliver something: a process in a group of its own, killed whole at the end of the attempt."""

import os
import select
import signal
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

SCRIPT: Final = (sys.executable, "-I", "-S")
"""Runs a script of the standard library's means alone, whatever the environment says to Python."""
LEASH: Final = str(Path(__file__).with_name("leash.py"))
LONGEST: Final = 4096
"""Bytes of its output that are kept, the last ones."""
DYING_SECONDS: Final = 1.0
"""A killed process takes far less."""
LAST_READS: Final = 16
"""More than a pipe holds by default; whoever it left behind may write on and on."""


@dataclass(frozen=True, slots=True)
class End:
    """How it ended: its exit code (negative: minus the signal), None if it had to be killed; its last line."""

    code: int | None
    said: str


class Attempt:
    """Runs `command`, without a shell, with `given` as its standard input, until `deadline` (monotonic seconds)."""

    def __init__(self, command: Sequence[str], given: bytes, deadline: float) -> None:
        """Start it; raises OSError if there can be no process."""
        self._deadline = deadline
        self._output = b""
        self._open = True
        self._popen = _start(command, given)
        assert self._popen.stdout is not None
        self._stdout = self._popen.stdout
        os.set_blocking(self._stdout.fileno(), False)
        try:
            self._pidfd = os.pidfd_open(self._popen.pid)
        except OSError:
            self._kill()
            raise

    def files(self) -> list[int]:
        """Return the descriptors that are readable when there is something to look at."""
        return [self._pidfd, *([self._stdout.fileno()] if self._open else [])]

    def due(self) -> float:
        """Return when it has to be looked at in any case, in monotonic seconds."""
        return self._deadline

    def look(self, now: float) -> End | None:
        """Read what it says; return its end when it has come, or is brought about because the deadline has passed."""
        ended = bool(select.select([self._pidfd], [], [], 0)[0])
        self._listen(LAST_READS if ended else 1)
        if not ended and now < self._deadline:
            return None
        code = self.end()
        return End(code if ended else None, self._last_line())

    def end(self) -> int | None:
        """Kill its group, whatever is left of it, and return its exit code; None if it lives on."""
        code = self._kill()
        os.close(self._pidfd)
        return code

    def _kill(self) -> int | None:
        # Before it is reaped: as long as it is a zombie, the number of its group is nobody else's.
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._popen.pid, signal.SIGKILL)
        with suppress(
            subprocess.TimeoutExpired
        ):  # one that has become another user's cannot be killed: it is left alone
            self._popen.wait(DYING_SECONDS)
        self._stdout.close()
        return self._popen.returncode

    def _listen(self, reads: int) -> None:
        while self._open and reads and (data := self._stdout.read(65536)) is not None:
            self._output = (self._output + data)[-LONGEST:]
            self._open = bool(data)
            reads -= 1

    def _last_line(self) -> str:
        lines = self._output.decode(errors="replace").strip().splitlines()
        return lines[-1].strip() if lines else ""


def _start(command: Sequence[str], given: bytes) -> "subprocess.Popen[bytes]":
    # A file in memory, unlike a pipe, waits for no reader and breaks for none.
    stdin = os.memfd_create("alert", os.MFD_CLOEXEC)
    try:
        os.write(stdin, given)
        os.lseek(stdin, 0, os.SEEK_SET)
        return subprocess.Popen(  # noqa: S603 - the operator's own program
            [*SCRIPT, LEASH, str(os.getpid()), *command],
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            process_group=0,
            bufsize=0,
        )
    finally:
        os.close(stdin)
