"""One supervisor per name and instance: an abstract unix socket, gone with its process, whatever kills it."""

import hashlib
import socket
import struct
from contextlib import suppress
from typing import Final

ADDRESS_BYTES: Final = 107
"""What unix(7) allows, less the byte that Python would add to a path."""
_CREDENTIALS: Final = struct.Struct("3i")


class LockedError(Exception):
    """Another supervisor of this name and instance runs; `pid` is its pid, if it could be found out."""

    def __init__(self, name: str, pid: int | None) -> None:
        who = f"pid {pid}" if pid else "another process"
        super().__init__(
            f"{name} is running already as {who}; stop it first, or give this one another app.name or app.instance"
        )
        self.pid = pid


def take_lock(app: str, instance: str | None) -> socket.socket:
    """Return a socket whose life is the lock; it must be closed in every child.

    Raises:
        LockedError: the lock is taken.
    """
    name = app if instance is None else f"{app}@{instance}"
    address = _address(name)
    lock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
    try:
        lock.bind(address)
        lock.listen(1)
    except OSError as error:
        lock.close()
        raise LockedError(name, _holder(address)) from error
    return lock


def dismiss(lock: socket.socket) -> None:
    """Close the connections of those who asked for our pid: a full backlog leaves the next without an answer."""
    with suppress(OSError):
        while True:
            lock.accept()[0].close()


def _address(name: str) -> str:
    address = f"\0kherd/{name}"
    if len(address.encode()) <= ADDRESS_BYTES:
        return address
    return f"\0kherd#{hashlib.sha256(name.encode()).hexdigest()}"


def _holder(address: str) -> int | None:
    """Return the pid of who listens at `address`: the kernel took it down at listen(2)."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(1.0)
        try:
            probe.connect(address)
        except OSError:
            return None
        credentials = probe.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    pid: int = _CREDENTIALS.unpack(credentials)[0]
    return pid
