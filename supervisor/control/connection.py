"""One client's connection: what it sent and was not answered yet, what it has not read yet. Never blocks, never grows.

A client has one request at work at a time: the next line is taken once the last answer is with the kernel. So a
client that floods costs one request per round of the loop, and memory for one answer.
"""

import socket
from typing import Final

from .protocol import MAX_REQUEST

READ_SIZE: Final = 64 * 1024


class Connection:
    """Bytes of one client. It is dropped at `deadline` (monotonic seconds); None while the supervisor works for it."""

    def __init__(self, sock: socket.socket, number: int, deadline: float) -> None:
        sock.setblocking(False)
        self.socket = sock
        self.number = number
        self.deadline: float | None = deadline
        self.at_work = False
        """Its request was dispatched and is not answered yet."""
        self.gone = False
        """Nobody is at the other end."""
        self.window_start = 0.0
        self.requests = 0
        self._inbox = bytearray()
        self._outbox = memoryview(b"")

    def fileno(self) -> int:
        """Return the descriptor."""
        return self.socket.fileno()

    @property
    def unsent(self) -> bool:
        """Whether a part of an answer waits for the client to read."""
        return bool(self._outbox)

    @property
    def has_line(self) -> bool:
        """Whether a whole request waits."""
        return b"\n" in self._inbox

    @property
    def flooded(self) -> bool:
        """Whether more was sent than one request may have."""
        return len(self._inbox) > MAX_REQUEST

    def read(self) -> None:
        """Take in what has come, one read at most; sets `gone` at the end."""
        try:
            data = self.socket.recv(READ_SIZE)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        self._inbox += data
        self.gone = self.gone or not data

    def take_line(self) -> bytes:
        """Remove and return the first whole line."""
        line, _, rest = self._inbox.partition(b"\n")
        self._inbox = rest
        return bytes(line)

    def put(self, line: bytes) -> None:
        """Send `line`, or as much of it as the kernel takes now; there is nothing unsent before it."""
        self._outbox = memoryview(line)
        self.write()

    def write(self) -> None:
        """Send on; sets `gone` if nobody will read it."""
        try:
            while self._outbox:
                self._outbox = self._outbox[self.socket.send(self._outbox, socket.MSG_NOSIGNAL) :]
        except BlockingIOError:
            return
        except OSError:
            self.gone = True
