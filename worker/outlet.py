"""Where log lines leave the process: never waiting for who reads them, never raising, one write per line.

A line of up to PIPE_BUF bytes goes into a pipe whole or not at all (pipe(7)), so that processes sharing standard
error do not write into each other's lines. What the kernel does not take waits here, up to BACKLOG bytes; then lines
are lost and counted. O_NONBLOCK is a property of the open file, which standard error shares with the shell and
everybody else: so a pipe or terminal is opened anew for ourselves, and a socket is told per call.
"""

import errno
import os
import select
import socket
import stat
from collections import deque
from typing import IO, Final, Protocol

from . import clock

BACKLOG: Final = 256 * 1024
PIPE_BUF: Final = 4096


class Sink(Protocol):
    """One way to write to a descriptor without waiting."""

    def send(self, data: bytes) -> int:
        """Write what the kernel takes now and return how much that was; raises OSError, BlockingIOError if nothing."""

    def wait(self, seconds: float) -> None:
        """Wait until something can be sent, at most `seconds`."""

    def close(self) -> None:
        """Give back what is ours; the descriptor itself is not."""


class Outlet:
    """Writes lines to a sink, keeping what it does not take yet."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._waiting: deque[bytes] = deque()
        self._size = 0
        self.lost = 0
        """Lines that found no room; whoever reports them sets it back to 0."""

    @property
    def clear(self) -> bool:
        """Whether nothing waits."""
        return not self._waiting

    def write(self, line: bytes) -> None:
        """Send `line` after what waits already."""
        if self._waiting and self._size + len(line) > BACKLOG:
            self.flush()
        if self._waiting and self._size + len(line) > BACKLOG:
            self.lost += 1
            return
        self._waiting.append(line)
        self._size += len(line)
        self.flush()

    def flush(self, seconds: float = 0.0) -> None:
        """Send what waits; if that takes waiting, wait at most `seconds`."""
        self._push()
        deadline = clock.monotonic() + seconds
        while self._waiting and (left := deadline - clock.monotonic()) > 0:
            self._sink.wait(left)
            self._push()

    def close(self) -> None:
        """Give the sink back."""
        self._sink.close()

    def _push(self) -> None:
        while self._waiting:
            first = self._waiting[0]
            try:
                sent = self._sink.send(first)
            except BlockingIOError:
                return
            except OSError:  # closed, full disk, nobody reads any more: there is nowhere to say so
                self._waiting.clear()
                self._size = 0
                return
            self._size -= sent
            if sent == len(first):
                self._waiting.popleft()
            else:
                self._waiting[0] = first[sent:]


class Nowhere:
    """Standard error was closed when the process began: its number may be any file's by now."""

    def send(self, data: bytes) -> int:
        """Forget it."""
        return len(data)

    def wait(self, seconds: float) -> None:
        """Return: there is nothing to wait for."""

    def close(self) -> None:
        """Do nothing."""


class Stream:
    """A Python stream without a descriptor."""

    def __init__(self, stream: IO[str]) -> None:
        self._stream = stream

    def send(self, data: bytes) -> int:
        """Write all of it."""
        try:
            self._stream.write(data.decode(errors="replace"))
            self._stream.flush()
        except ValueError as error:  # closed
            raise OSError(errno.EBADF, str(error)) from error
        return len(data)

    def wait(self, seconds: float) -> None:
        """Return: there is nothing to wait for."""

    def close(self) -> None:
        """Leave the stream to its owner."""


class File:
    """A regular file."""

    def __init__(self, fd: int) -> None:
        self._fd = fd

    def send(self, data: bytes) -> int:
        """Write it; a full disk is an OSError."""
        return os.write(self._fd, data)

    def wait(self, seconds: float) -> None:
        """Return: there is nothing to wait for."""

    def close(self) -> None:
        """Leave the file to its owner."""


class Descriptor:
    """A descriptor opened anew with O_NONBLOCK, or, where that is not allowed, asked before every write."""

    def __init__(self, fd: int) -> None:
        self._own = _reopen(fd)
        self._fd = fd if self._own is None else self._own
        self._inode = _inode(self._fd)

    def send(self, data: bytes) -> int:
        """Write; without a file of our own never more than the kernel has said it has room for."""
        if self._own is not None:
            return os.write(self._own, data)
        if not _writable(self._fd, 0.0):
            raise BlockingIOError
        return os.write(self._fd, data[:PIPE_BUF])

    def wait(self, seconds: float) -> None:
        """Wait for room."""
        _writable(self._fd, seconds)

    def close(self) -> None:
        """Close our own file; after a fork its number may have become somebody else's, which is left alone."""
        if self._own is not None and _inode(self._own) == self._inode:
            os.close(self._own)
        self._own = None


class Socket:
    """A socket, as systemd gives for the journal."""

    def __init__(self, fd: int) -> None:
        self._fd = fd

    def send(self, data: bytes) -> int:
        """Send without waiting."""
        # An object of its own for the time of the call: it must not own, and one day close, the descriptor.
        sock = socket.socket(fileno=self._fd)
        try:
            return sock.send(data, socket.MSG_DONTWAIT | socket.MSG_NOSIGNAL)
        finally:
            sock.detach()

    def wait(self, seconds: float) -> None:
        """Wait for room."""
        _writable(self._fd, seconds)

    def close(self) -> None:
        """Leave the socket to its owner."""


def open_sink(stream: IO[str] | None) -> Sink:
    """Return the way to write to `stream`, which is None if standard error was closed at the start."""
    if stream is None:
        return Nowhere()
    try:
        fd = stream.fileno()
        mode = os.fstat(fd).st_mode
    except (OSError, ValueError, AttributeError):  # a stream of memory, or closed
        return Stream(stream)
    if stat.S_ISSOCK(mode):
        return Socket(fd)
    return Descriptor(fd) if stat.S_ISFIFO(mode) or stat.S_ISCHR(mode) else File(fd)


def _reopen(fd: int) -> int | None:
    try:
        return os.open(f"/proc/self/fd/{fd}", os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    except OSError:  # another user's terminal or pipe, or no /proc
        return None


def _inode(fd: int) -> tuple[int, int] | None:
    try:
        found = os.fstat(fd)
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _writable(fd: int, seconds: float) -> bool:
    poll = select.poll()
    poll.register(fd, select.POLLOUT)
    return bool(poll.poll(seconds * 1000))
