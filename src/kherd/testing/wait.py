"""Waiting for a condition instead of for a time: everything in the tests that waits, waits here."""

from collections.abc import Callable
from typing import TypeVar

from ..worker import clock

T = TypeVar("T")
GLANCE = 0.02
"""Seconds between two looks."""


def until(condition: Callable[[], T | None], seconds: float, what: str, *, glance: float = GLANCE) -> T:
    """Return the first true value of `condition`, looked at again and again for at most `seconds`.

    Raises:
        TimeoutError: it stayed false; says what was waited for, and the last value seen.
    """
    deadline = clock.monotonic() + seconds
    while True:
        seen = condition()
        if seen:
            return seen
        if clock.monotonic() >= deadline:
            raise TimeoutError(f"waited {seconds:g} s for {what}; last seen: {seen!r}")
        clock.sleep(glance)
