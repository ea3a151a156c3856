"""How much memory a process uses, from proc(5)."""

import os
from typing import Final

PAGE_BYTES: Final = os.sysconf("SC_PAGE_SIZE")


def rss_of(pid: int) -> int | None:
    """Return resident bytes, shared ones included (10 us); None if there is no such process."""
    try:
        with open(f"/proc/{pid}/statm", "rb") as file:  # noqa: PTH123 - half the time of Path's
            return int(file.read().split()[1]) * PAGE_BYTES
    except OSError:
        return None


def pss_of(pid: int) -> int | None:
    """Return resident bytes, of shared ones its share (10 ms per GiB); None if there is no such process.

    Raises:
        PermissionError: a process of another user that we may not look into.
    """
    try:
        with open(f"/proc/{pid}/smaps_rollup", "rb") as file:  # noqa: PTH123 - as above
            return next((int(line.split()[1]) * 1024 for line in file if line.startswith(b"Pss:")), None)
    except PermissionError:
        raise
    except OSError:  # ESRCH at the read of one that has ended
        return None
