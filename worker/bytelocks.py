"""Locks on single bytes of a file, one process at a time: the kernel frees them when their owner ends (fcntl(2)).

They say nothing between threads of one process, and closing any descriptor of the file frees all that the process has.
"""

import errno
import fcntl
import os
from contextlib import suppress


class ByteLocks:
    """Those of the open file `fd`, which stays the caller's."""

    def __init__(self, fd: int) -> None:
        self._fd, self._file = fd, _identity(fd)

    def take(self, byte: int) -> bool:
        """Take the lock on `byte` if nobody else has it; never waits.

        Raises:
            OSError: the descriptor is closed, or another file's by now: a handler may close what it does not know.
        """
        if _identity(self._fd) != self._file:
            raise OSError(errno.EBADF, os.strerror(errno.EBADF))
        try:
            fcntl.lockf(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, byte)
        except (BlockingIOError, PermissionError):  # EAGAIN or EACCES: it is left open which
            return False
        return True

    def give_back(self, byte: int) -> None:
        """Free the lock on `byte`."""
        with suppress(OSError):  # closed meanwhile, which has freed it
            fcntl.lockf(self._fd, fcntl.LOCK_UN, 1, byte)


def _identity(fd: int) -> tuple[int, int]:
    status = os.fstat(fd)
    return status.st_dev, status.st_ino
