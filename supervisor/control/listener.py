"""The listening end: a file that nobody else can open, made over a dead one but never over a live one."""

import errno
import os
import socket
import stat
import struct
from pathlib import Path
from typing import Final

from .address import address_of

BACKLOG: Final = 32


class AlreadyListeningError(OSError):
    """Another process answers at the socket."""


class Listener:
    """A listening unix socket at `path`, mode 0600, non-blocking."""

    def __init__(self, path: Path) -> None:
        """Listen.

        Raises:
            AlreadyListeningError: somebody listens there.
            FileExistsError: something is there that is no socket.
            OSError: the socket cannot be made.
        """
        self._path = path
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
        try:
            with address_of(path) as address:
                _clear(path, address)
                # The mode of the unbound socket becomes that of the file: it is never open to others, not for a moment.
                os.fchmod(self._socket.fileno(), 0o600)
                self._socket.bind(address)
                self._socket.listen(BACKLOG)
            self._inode = _inode(path)
        except OSError:
            self._socket.close()
            raise

    def fileno(self) -> int:
        """Return the descriptor."""
        return self._socket.fileno()

    def accept(self) -> socket.socket:
        """Return the next client. Raises what accept raises: BlockingIOError if nobody waits."""
        return self._socket.accept()[0]

    def close(self) -> None:
        """Stop listening, and remove the file if it is still ours: a successor may have replaced it."""
        self._socket.close()
        try:
            if _inode(self._path) == self._inode:
                self._path.unlink()
        except OSError:
            return


def peer_of(sock: socket.socket) -> tuple[int, int]:
    """Return pid and user id of the process at the other end, as the kernel knows them (SO_PEERCRED, unix(7)).

    For a client that is the process that listens; a pid of another pid namespace reads as 0.
    """
    pid, uid, _ = struct.unpack("3i", sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i")))
    return pid, uid


def _clear(path: Path, address: str) -> None:
    """Remove a socket that its process left behind."""
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(mode):
        raise FileExistsError(
            errno.EEXIST, "is there already and is no socket; remove it or set control.socket", str(path)
        )
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK) as probe:
        try:
            probe.connect(address)
        except ConnectionRefusedError:
            path.unlink(missing_ok=True)
            return
        except BlockingIOError:  # its backlog is full: somebody listens
            pass
    raise AlreadyListeningError(errno.EADDRINUSE, "another supervisor listens there", str(path))


def _inode(path: Path) -> tuple[int, int]:
    found = path.lstat()
    return found.st_dev, found.st_ino
