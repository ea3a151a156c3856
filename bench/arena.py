"""A contender's process: forked from a trial's, which has no librdkafka handle then, and watched until its result."""

import os
import select
import signal
import traceback
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Final, NoReturn

from ..worker import clock, kernel, log
from ..worker.channel import Channel
from ..worker.spec import LogSpec
from . import handlers
from .jobs import TrialError

TRIAL_SECONDS: Final = 180.0
GLANCE_MS: Final = 20
TIMEOUT: Final = 20.0


def play(
    records: int,
    folder: Path,
    work: Callable[[], None],
    channel: Channel | None = None,
    beside: AbstractContextManager[object] | None = None,
) -> str:
    """Fork a process that does `work` with `records` records, wait until it has written its result, and return that.

    `beside` is entered after the fork, so that it may have threads.

    Raises:
        TrialError: it ended before, took too long, or did not stop.
    """
    result = folder / "result"
    kernel.block_signals()
    parent = os.getpid()
    pid = os.fork()
    if pid == 0:
        _run(records, result, work, parent)
    kernel.unblock_signals()
    pidfd = os.pidfd_open(pid)
    try:
        with beside or nullcontext():
            _wait(result, pidfd, channel)
        signal.pidfd_send_signal(pidfd, signal.SIGTERM)
        if not select.select([pidfd], [], [], TIMEOUT)[0]:
            raise TrialError("it did not stop")
    finally:
        if not select.select([pidfd], [], [], 0)[0]:
            signal.pidfd_send_signal(pidfd, signal.SIGKILL)
        os.close(pidfd)
        os.waitpid(pid, 0)
    return result.read_text()


def _run(records: int, result: Path, work: Callable[[], None], parent: int) -> NoReturn:
    try:
        if kernel.die_with_parent(parent):
            log.configure(LogSpec("json", "warning"), log.Identity("bench", "worker", 0, 1))
            os.environ["KHERD_BENCH_RESULT"] = str(result)
            handlers.set_records(records)
            work()
    except BaseException:  # noqa: BLE001 - the last frame of the process: nothing may run on in the parent's
        traceback.print_exc()
    finally:
        os._exit(1)


def _wait(result: Path, pidfd: int, channel: Channel | None) -> None:
    """Play the supervisor until the result is there."""
    deadline = clock.monotonic() + TRIAL_SECONDS
    waiting = select.poll()
    waiting.register(pidfd, select.POLLIN)
    while not result.exists():
        if clock.monotonic() > deadline:
            raise TrialError(f"not done within {TRIAL_SECONDS:.0f} s")
        if waiting.poll(GLANCE_MS) and not result.exists():
            raise TrialError("it ended before its last record")
        received = channel.receive() if channel is not None else None
        if channel is not None and received is not None and received[0]["type"] == "booted":
            channel.send({"type": "go"})
