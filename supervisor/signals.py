"""Signals of the supervisor: a handler does nothing but wake the loop, which acts on them in order of arrival."""

import os
import signal
from types import FrameType
from typing import Final

from ..worker import kernel

HANDLED: Final = (
    signal.SIGTERM,
    signal.SIGINT,
    signal.SIGQUIT,
    signal.SIGHUP,
    signal.SIGTTIN,
    signal.SIGTTOU,
    signal.SIGUSR1,
    signal.SIGUSR2,
    signal.SIGCHLD,
)


class Signals:
    """A pipe that CPython's own C handler writes each signal's number to; it holds 65,536 of them."""

    def __init__(self) -> None:
        self._read, self._write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        signal.set_wakeup_fd(self._write, warn_on_full_buffer=False)
        for number in HANDLED:
            signal.signal(number, _nothing)
        kernel.unblock_signals()  # exec hands on what whoever started us had blocked

    def fileno(self) -> int:
        """Return the descriptor that is readable when a signal has come."""
        return self._read

    def take(self) -> list[signal.Signals]:
        """Return the signals since the last call, in order."""
        try:
            numbers = os.read(self._read, 65_536)
        except BlockingIOError:
            return []
        return [signal.Signals(number) for number in numbers]

    def close(self) -> None:
        """Leave every signal to its default again."""
        signal.set_wakeup_fd(-1)
        for number in HANDLED:
            signal.signal(number, signal.SIG_DFL)
        os.close(self._read)
        os.close(self._write)


def _nothing(_: int, __: FrameType | None) -> None:
    """Exist, so that CPython writes to the wake-up descriptor; the loop does the rest."""
