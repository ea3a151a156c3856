"""The only place that reads a clock or sleeps. Durations are seconds as float; board words are nanoseconds."""

import time
from datetime import UTC, datetime
from typing import Final

NANOSECONDS: Final = 1_000_000_000

read: Final = time.monotonic
"""`monotonic` without a Python frame, for what runs once per record: a float is compared at a quarter of the cost."""
read_ns: Final = time.monotonic_ns
"""`monotonic_ns` without a Python frame."""


def monotonic() -> float:
    """Return CLOCK_MONOTONIC in seconds: comparable between processes of one machine."""
    return time.monotonic()


def monotonic_ns() -> int:
    """Return CLOCK_MONOTONIC in nanoseconds, the unit of every time on the board."""
    return time.monotonic_ns()


def wall() -> float:
    """Return seconds since the epoch, for people and records; never for durations."""
    return time.time()


def iso(timestamp: float) -> str:
    """Return `timestamp` (seconds since the epoch) as ISO 8601 UTC with milliseconds."""
    return datetime.fromtimestamp(timestamp, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def sleep(seconds: float) -> None:
    """Block this process for `seconds`."""
    time.sleep(seconds)
