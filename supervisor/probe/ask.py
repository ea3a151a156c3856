"""Asking in a child process: what hangs, crashes or leaks there is nobody else's trouble."""

import importlib
import json
import os
import select
import signal
import sys
from contextlib import suppress
from typing import Any, Final, NoReturn

from ...worker import clock, kernel
from ..config.account import Account
from ..process.account import become

LONGEST: Final = 4 * 1024 * 1024
"""Bytes of an answer."""
CHUNK: Final = 65_536


class ProbeError(Exception):
    """There is no answer; the message says what became of the child."""


def ask(function: str, argument: Any, seconds: float, account: Account | None = None) -> Any:
    """Return what `function` ("kherd module below supervisor or worker:name") returns for `argument`, as JSON has it.

    What it prints goes to standard error. Nothing that it starts outlives it. With an `account` it runs as that user.

    Raises:
        ProbeError: it took longer than `seconds`, or died.
    """
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)  # ignored, as exec may have handed it on, it reaps our child itself
    sys.stdout.flush()
    sys.stderr.flush()
    reader, writer = os.pipe()
    parent = os.getpid()
    pid = os.fork()
    if pid == 0:
        os.close(reader)
        _answer(parent, function, argument, writer, account)
    os.close(writer)
    pidfd = os.pidfd_open(pid)
    try:
        answer = _read(reader, pidfd, clock.monotonic() + seconds)
    finally:
        os.close(reader)
        os.close(pidfd)
        code = _end(pid)
    if answer is None:
        raise ProbeError(f"it did not end within {seconds:g} s")
    if not answer:
        raise ProbeError(f"its process died of {signal.Signals(-code).name}" if code < 0 else f"it left with {code}")
    return json.loads(answer)


def _answer(parent: int, function: str, argument: Any, writer: int, account: Account | None) -> NoReturn:
    """Be the child."""
    code = 1
    try:
        os.setsid()
        if not kernel.die_with_parent(parent):
            os._exit(code)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.dup2(2, 1)
        sys.stdout = sys.stderr
        if account is not None:
            become(account)
        module, _, name = function.partition(":")
        answer = json.dumps(getattr(importlib.import_module(module), name)(argument))
        with os.fdopen(writer, "w") as file:
            file.write(answer)
        code = 0
    except BaseException as error:  # noqa: BLE001 - the last frame of the child: nothing may run on in the parent's
        with suppress(OSError):
            os.write(2, f"[BUG] {function} raised {type(error).__name__}: {error}\n".encode(errors="replace"))
    finally:
        with suppress(OSError, ValueError):
            sys.stderr.flush()
        os._exit(code)


def _read(reader: int, pidfd: int, deadline: float) -> bytes | None:
    """Return all that comes until the child has ended; None: the deadline came first.

    The end of file alone would not do: what a user's module has started may hold the pipe open.
    """
    os.set_blocking(reader, False)
    poll = select.poll()
    poll.register(reader, select.POLLIN)
    poll.register(pidfd, select.POLLIN)
    answer = b""
    while len(answer) <= LONGEST:
        left = deadline - clock.monotonic()
        ready = poll.poll(max(0.0, left) * 1000)
        try:
            part = os.read(reader, CHUNK)
        except BlockingIOError:
            part = None
        if part:
            answer += part
        elif part is not None or any(fd == pidfd for fd, _ in ready):
            return answer
        elif left <= 0:
            return None
    return None


def _end(pid: int) -> int:
    """Kill what is left of the child's session and return its exit code, negative for a signal."""
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
        os.killpg(pid, signal.SIGKILL)
    _, status = os.waitpid(pid, 0)
    return os.waitstatus_to_exitcode(status)
