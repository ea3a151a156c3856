"""Forking a service child: signals are blocked from before the fork until the child has its own handlers."""

import gc
import os
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, NoReturn

from ...worker import events, kernel, log, title
from ...worker.channel import Channel, pair
from ...worker.exits import WorkerExit
from ...worker.spec import LogSpec

LAST_WORDS_SECONDS: Final = 1.0
Entry = Callable[[Channel], int]


class ThreadedForkError(Exception):
    """[BUG] this process has a second thread, so a fork could inherit a lock that nobody will ever release."""


@dataclass(frozen=True, slots=True)
class Spawned:
    """A process that exists, whose pidfd we hold."""

    pid: int
    pidfd: int
    channel: Channel


def fork_service(entry: Entry, log_spec: LogSpec, identity: log.Identity) -> Spawned:
    """Fork a child that runs `entry` with its end of a channel and exits with what it returns.

    Raises:
        OSError: the kernel refused (EAGAIN, ENOMEM, EMFILE).
        ThreadedForkError: this process is not single-threaded.
    """
    if kernel.thread_count() != 1:
        raise ThreadedForkError(f"{kernel.thread_count()} threads in the process that forks")
    ours, theirs = pair()
    parent = os.getpid()
    blocked = signal.pthread_sigmask(signal.SIG_SETMASK, signal.valid_signals())
    try:
        pid = os.fork()
        if pid == 0:
            _be_child(parent, entry, theirs, log_spec, identity)
        pidfd = os.pidfd_open(pid)
    except OSError:
        ours.close()
        raise
    finally:
        theirs.close()
        signal.pthread_sigmask(signal.SIG_SETMASK, blocked)
    return Spawned(pid, pidfd, ours)


def _be_child(parent: int, entry: Entry, channel: Channel, log_spec: LogSpec, identity: log.Identity) -> NoReturn:
    code: int = WorkerExit.TEMPORARY
    try:
        # The supervisor's objects live on below us on the stack; frozen, none is collected and closes a descriptor.
        gc.freeze()
        os.setpgid(0, 0)
        kernel.default_signals()
        kernel.close_all_but({channel.fileno()})
        if not kernel.die_with_parent(parent):
            os._exit(WorkerExit.TEMPORARY)
        log.configure(log_spec, identity)
        title.show(identity.app, identity.role)
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # a Ctrl-C at the terminal is the supervisor's to act on
        kernel.unblock_signals()
        code = entry(channel)
    except BaseException as error:  # noqa: BLE001 - the last frame of the process: nothing may run on in the supervisor's
        log.emit(events.INTERNAL_ERROR, error=error, reason=f"{identity.role} raised {type(error).__name__}: {error}")
    finally:
        log.flush(LAST_WORDS_SECONDS)
        for stream in (sys.stdout, sys.stderr):
            try:
                stream.flush()
            except (OSError, ValueError):
                continue
        os._exit(code)
