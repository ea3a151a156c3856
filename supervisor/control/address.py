"""A path longer than the kernel's address of a unix socket is reached through its folder's descriptor."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

LONGEST: Final = 107
"""Bytes of `sun_path` without its final zero (unix(7))."""


class PathTooLongError(OSError):
    """Not even the socket's name in its folder fits into an address."""


@contextmanager
def address_of(path: Path) -> Iterator[str]:
    """Give an address under which `path` can be bound and connected to, valid within the block.

    Raises:
        PathTooLongError: there is no such address.
        OSError: the folder cannot be opened.
    """
    if len(os.fsencode(path)) <= LONGEST:
        yield str(path)
        return
    folder = os.open(path.parent, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        short = f"/proc/self/fd/{folder}/{path.name}"
        if len(os.fsencode(short)) > LONGEST:
            raise PathTooLongError(f"{path}: the name of a socket may have {LONGEST - len('/proc/self/fd/100/')} bytes")
        yield short
    finally:
        os.close(folder)
