"""How a process ended, from what waitid(2) says and what is remembered of the process."""

import os
import signal

from ..decide.cause import Facts
from .handle import Process


def facts_of(process: Process, status: os.waitid_result, *, oom: bool) -> Facts:
    """Return what is known of the end of `process`; `oom`: the kernel's OOM killer has struck since the last end."""
    exited = status.si_code == os.CLD_EXITED
    return Facts(
        exit_code=status.si_status if exited else None,
        signal=None if exited else _signal_name(status.si_status),
        killed_for=process.killed_for,
        hang=process.hang,
        asked=process.asked,
        oom=oom,
        said=process.said,
    )


def in_words(status: os.waitid_result) -> str:
    """Return an end in two words."""
    exited = status.si_code == os.CLD_EXITED
    return f"exit {status.si_status}" if exited else _signal_name(status.si_status)


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:  # a real-time signal between the two that Python names
        return f"SIG{number}"
