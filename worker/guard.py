"""Keeps what a worker and its supervisor need of the process, whatever a handler does to it: signals, stacks, board.

Looked to ten times a second, outside the handler. A stop does not depend on it: it comes by the channel too.
"""

import faulthandler
import os
import signal
from contextlib import suppress
from typing import Any, Final

from . import events, log
from .board import Board
from .channel import Channel
from .exits import WorkerExit
from .pulse import Pulse

IGNORED: Final = (signal.SIGINT, signal.SIGHUP)
"""A terminal's Ctrl-C is for the supervisor, which tells us."""
OURS: Final = (signal.SIGTERM, signal.SIGUSR1, *IGNORED)


class Guard:
    """The signals of a worker; `take` them when it starts, `look` whether it still has them."""

    def __init__(self, pulse: Pulse, stacks_fd: int) -> None:
        self._stacks = stacks_fd
        self._wanted: dict[signal.Signals, Any] = {signal.SIGTERM: pulse.on_term}
        self._wanted |= dict.fromkeys(IGNORED, signal.SIG_IGN)
        self._told: set[signal.Signals] = set()

    def take(self) -> None:
        """Take them, whatever was set before."""
        for number, wanted in self._wanted.items():
            signal.signal(number, wanted)
        faulthandler.enable(self._stacks)
        faulthandler.register(signal.SIGUSR1, self._stacks, all_threads=True)

    def look(self) -> None:
        """Take back what the handler has taken for itself."""
        for number, wanted in self._wanted.items():
            if signal.getsignal(number) is not wanted:
                signal.signal(number, wanted)
                self._tell(number)
        if signal.getsignal(signal.SIGUSR1) is not signal.SIG_DFL:
            self._take_back_stacks()
        with suppress(OSError, ValueError):  # the handler has closed the file
            if not faulthandler.is_enabled():
                faulthandler.enable(self._stacks)
            faulthandler.register(signal.SIGUSR1, self._stacks, all_threads=True)
        blocked = signal.pthread_sigmask(signal.SIG_BLOCK, ())
        if not blocked.isdisjoint(OURS):
            signal.pthread_sigmask(signal.SIG_UNBLOCK, OURS)

    def _take_back_stacks(self) -> None:
        """Register anew: faulthandler believes it still has the signal. Between the two it would be deadly."""
        before = signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGUSR1,))
        signal.signal(signal.SIGUSR1, signal.SIG_DFL)
        faulthandler.unregister(signal.SIGUSR1)
        with suppress(OSError, ValueError):
            faulthandler.register(signal.SIGUSR1, self._stacks, all_threads=True)
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        self._tell(signal.SIGUSR1)

    def _tell(self, number: signal.Signals) -> None:
        if number not in self._told:
            self._told.add(number)
            log.emit(events.SIGNAL_TAKEN, signal=number.name)


class Copy:
    """What a fork of the worker, made by the handler, must not have: a child may live, but never be a second worker."""

    def __init__(self, board: Board, channel: Channel) -> None:
        self._board, self._channel = board, channel
        self._worker = os.getpid()
        self._mask: set[int] = set()
        os.register_at_fork(before=self._block, after_in_parent=self._unblock, after_in_child=self._disarm)

    def leave(self) -> None:
        """End this process if it is a copy: its handler has returned, and whatever it did next would be done twice."""
        if os.getpid() != self._worker:
            log.emit(events.HANDLER_FORKED, worker=self._worker)
            log.flush(1.0)
            os._exit(WorkerExit.DRAINED)

    def _block(self) -> None:
        """Keep TERM from a child until it has no handler of ours any more: that would only note it."""
        self._mask = signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGTERM,))

    def _unblock(self) -> None:
        signal.pthread_sigmask(signal.SIG_SETMASK, self._mask)

    def _disarm(self) -> None:
        """Take the board away: the first word written to it raises ValueError, which ends in `leave`."""
        self._channel.socket.close()  # it would read what the supervisor says to the worker
        with suppress(BufferError):
            self._board.words.release()
        faulthandler.disable()
        faulthandler.unregister(signal.SIGUSR1)
        for number in (signal.SIGTERM, *IGNORED):
            signal.signal(number, signal.SIG_DFL)
        self._unblock()
