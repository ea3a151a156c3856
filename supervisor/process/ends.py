"""How a process ended, from what waitid(2) says and what is remembered of the process."""

import os
import select
import signal
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path

from ...worker import clock
from ..decide.cause import Facts
from .handle import Process


def facts_of(process: Process, *, oom: bool) -> Facts:
    """Return what is known of the end of `process`, which is reaped; `oom`: the kernel's OOM killer has struck."""
    return Facts(
        exit_code=process.exit_code,
        signal=process.signal,
        killed_for=process.killed_for,
        hang=process.hang,
        memory=process.memory,
        asked=process.asked,
        oom=oom,
        said=process.said,
    )


def reap(process: Process) -> None:
    """Reap a process that has ended; note on it how, and what memory it had."""
    assert process.pid is not None
    status = os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    assert status is not None
    *_, usage = os.wait4(process.pid, 0)
    exited = status.si_code == os.CLD_EXITED
    process.exit_code = status.si_status if exited else None
    process.signal = None if exited else _signal_name(status.si_status)
    process.peak_rss = usage.ru_maxrss * 1024 or None  # 0: the kernel does not tell


def in_words(status: os.waitid_result) -> str:
    """Return an end in two words."""
    exited = status.si_code == os.CLD_EXITED
    return f"exit {status.si_status}" if exited else _signal_name(status.si_status)


def take_from_parent(pid: int) -> None:
    """Kill the parent of the dead process `pid` if it is not us: one in between that is stopped would keep it."""
    parent = _parent_of(pid)
    if parent is None or parent in {1, os.getpid()}:
        return
    with suppress(OSError):
        pidfd = os.pidfd_open(parent)
        try:
            if _parent_of(pid) == parent:  # still: so its pid has not become another's meanwhile
                signal.pidfd_send_signal(pidfd, signal.SIGKILL)
        finally:
            os.close(pidfd)


def children() -> set[int]:
    """Return the pids of this process' children, empty where the kernel does not list them."""
    try:
        return {int(one) for one in Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()}
    except OSError:
        return set()


def end_strangers(spared: Collection[int], seconds: float) -> list[int]:
    """Kill and reap every child but `spared`, and the children they leave to us, for at most `seconds`; return whom."""
    ended: list[int] = []
    deadline = clock.monotonic() + seconds
    while (left := children() - set(spared)) and clock.monotonic() < deadline:
        for pid in left:
            with suppress(OSError):
                os.kill(pid, signal.SIGKILL)  # our child: its pid is nobody else's until we reap it
                _reap(pid, deadline)
                ended.append(pid)
    return ended


def _reap(pid: int, deadline: float) -> None:
    pidfd = os.pidfd_open(pid)
    try:
        select.select([pidfd], [], [], max(0.0, deadline - clock.monotonic()))
        os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG)
    finally:
        os.close(pidfd)


def _parent_of(pid: int) -> int | None:
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return None


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:  # a real-time signal between the two that Python names
        return f"SIG{number}"
