"""A message channel between the supervisor and one child: JSON datagrams over a SOCK_SEQPACKET pair.

One message is one datagram, so there is no framing to get wrong; file descriptors travel beside it (SCM_RIGHTS).
End of file means that no process holds the other end any more. Sending never blocks: what the kernel
does not take waits in `outbox`, and the owner flushes it when the socket is writable.
"""

import array
import json
import os
import socket
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, Final

MAX_MESSAGE: Final = 192 * 1024
"""Bytes of one datagram: under Linux' default `net.core.wmem_max`; senders of more split it themselves."""
MAX_FDS: Final = 8
OUTBOX_LIMIT: Final = 10_000

Message = dict[str, Any]


class MessageTooLargeError(Exception):
    """A message over MAX_MESSAGE bytes was about to be sent; it has to be split by its sender."""


class Channel:
    """One end of a channel; `receive` and `send` never block."""

    def __init__(self, sock: socket.socket) -> None:
        sock.setblocking(False)
        self.socket = sock
        self.closed = False
        self.outbox: deque[tuple[bytes, Sequence[int]]] = deque(maxlen=OUTBOX_LIMIT)

    def fileno(self) -> int:
        """Return the descriptor, for a selector."""
        return self.socket.fileno()

    def send(self, message: Message, fds: Sequence[int] = ()) -> None:
        """Send `message`, with `fds` beside it, or queue it. A dead peer is no error: its death is told elsewhere.

        Raises:
            MessageTooLargeError: the encoded message is over MAX_MESSAGE bytes.
        """
        data = json.dumps(message, separators=(",", ":")).encode()
        if len(data) > MAX_MESSAGE:
            raise MessageTooLargeError(f"message {message.get('type')!r} has {len(data)} bytes, over {MAX_MESSAGE}")
        self.outbox.append((data, tuple(fds)))
        self.flush()

    def flush(self) -> None:
        """Send what waits, as far as the kernel takes it."""
        while self.outbox:
            data, fds = self.outbox[0]
            rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", fds))] if fds else []
            try:
                self.socket.sendmsg([data], rights)
            except BlockingIOError:
                return
            except OSError:
                self.outbox.clear()
                return
            self.outbox.popleft()

    def receive(self) -> tuple[Message, list[int]] | None:
        """Return the next message and its descriptors, or None if there is none now; sets `closed` at end of file.

        A message is an object with a "type"; whatever else arrives ends the conversation like an end of file.
        """
        try:
            data, fds = self._take()
        except BlockingIOError:
            return None
        except OSError:
            data, fds = b"", []
        message = _decoded(data)
        if message is None:
            self.closed = True
            for fd in fds:
                os.close(fd)
            return None
        return message, fds

    def _take(self) -> tuple[bytes, list[int]]:
        try:
            data, ancillary, _, _ = self._receive()
        except ConnectionResetError:
            # A peer that ended with something unread: the kernel tells so once, before what the peer had still sent.
            data, ancillary, _, _ = self._receive()
        fds = array.array("i")
        for level, kind, payload in ancillary:
            if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
                fds.frombytes(payload[: len(payload) - len(payload) % fds.itemsize])
        return data, list(fds)

    def _receive(self) -> tuple[bytes, list[tuple[int, int, bytes]], int, Any]:
        return self.socket.recvmsg(MAX_MESSAGE, socket.CMSG_SPACE(MAX_FDS * 4), socket.MSG_CMSG_CLOEXEC)

    def hang_up(self) -> None:
        """Say that nothing more will come: the peer reads end of file, what it still sends can be read."""
        with suppress(OSError):
            self.socket.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        """Give the descriptor back."""
        self.closed = True
        self.socket.close()


def _decoded(data: bytes) -> Message | None:
    """Return the message in `data`; None if it is none: end of file, or a peer gone mad, which is no better."""
    try:
        message = json.loads(data)
    except (ValueError, RecursionError):
        return None
    return message if isinstance(message, dict) and isinstance(message.get("type"), str) else None


def pair() -> tuple[Channel, Channel]:
    """Return two connected ends."""
    left, right = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    return Channel(left), Channel(right)
