"""An upper bound for user code that blocks: SIGALRM raises in it. Never round a librdkafka call of ours."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_AGAIN = 1.0
"""Seconds until it rings again, for code that caught the first."""


@contextmanager
def after(seconds: float, text: str) -> Iterator[None]:
    """Raise TimeoutError(`text`) in the block once it has run for `seconds`; without effect outside the main thread."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def ring(_signal: int, _frame: FrameType | None) -> None:
        raise TimeoutError(text)

    previous = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, max(seconds, 0.001), _AGAIN)  # 0 would switch the timer off
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)
