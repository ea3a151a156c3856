"""The command line's half of the control socket. Every error says what was asked, where, and what to do about it."""

import os
import select
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from ...worker import clock
from .address import address_of
from .listener import peer_of
from .protocol import MAX_ANSWER, ProtocolError, Request, decode_answer, encode_request

TIMEOUT: Final = 10.0
CHUNK: Final = 256 * 1024
GLANCE: Final = 0.05
"""Seconds between two tries or looks at what cannot be waited for."""


class ControlError(Exception):
    """A herd could not be asked."""


class NoHerdError(ControlError):
    """Nobody listens at the socket."""


class RefusedError(ControlError):
    """The supervisor answered: no."""


class Client:
    """Asks the supervisor that listens at `path`; a connection per request."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def request(self, command: str, args: Mapping[str, Any] | None = None, timeout: float | None = TIMEOUT) -> Any:
        """Have `command` done and return the data of the answer, within `timeout` seconds if that is not None.

        Raises:
            NoHerdError: nobody listens.
            RefusedError: the supervisor says no, in its own words.
            ControlError: no permission, no answer in time, or an answer that is none.
        """
        deadline = None if timeout is None else clock.monotonic() + timeout
        with self._connect(timeout) as sock:
            try:
                sock.sendall(encode_request(Request(command, args or {})))
            except (BrokenPipeError, ConnectionResetError):
                pass  # it was turned away: why is what can still be read
            except TimeoutError:
                raise self._late(command, timeout) from None
            line = self._read_line(sock, command, deadline, timeout)
        try:
            answer = decode_answer(line)
        except ProtocolError as error:
            raise ControlError(f"{self.path}: {error}") from error
        if not answer.ok:
            raise RefusedError(answer.error or "refused")
        return answer.data

    def alive(self) -> bool:
        """Whether somebody listens; one who may not be asked is alive."""
        try:
            self._connect(0.0).close()
        except NoHerdError:
            return False
        except ControlError:
            return True
        return True

    def watch(self) -> "Watch":
        """Return a hold on the daemon that listens now, to wait for its end; raises as `request` does."""
        with self._connect(TIMEOUT) as sock:
            pid, _ = peer_of(sock)
            try:
                pidfd = os.pidfd_open(pid)
            except (OSError, ValueError):  # gone since, or of another pid namespace
                return Watch(self, pid, None)
            # If the daemon ended before the descriptor was there, the pid may be another's by now.
            if select.select([sock], [], [], 0)[0]:
                os.close(pidfd)
                return Watch(self, pid, None)
            return Watch(self, pid, pidfd)

    def _connect(self, timeout: float | None) -> socket.socket:
        """Connect; while more clients wait to be let in than the kernel keeps, try again for `timeout` seconds."""
        deadline = None if timeout is None else clock.monotonic() + timeout
        while True:
            try:
                return self._connect_once(timeout)
            except BlockingIOError as error:
                if deadline is not None and clock.monotonic() >= deadline:
                    raise self._explain(error) from error
                clock.sleep(GLANCE)
            except OSError as error:
                raise self._explain(error) from error

    def _connect_once(self, timeout: float | None) -> socket.socket:
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            sock.settimeout(timeout)
            with address_of(self.path) as address:
                sock.connect(address)
        except OSError:
            sock.close()
            raise
        return sock

    def _explain(self, error: OSError) -> ControlError:
        if isinstance(error, FileNotFoundError | ConnectionRefusedError | NotADirectoryError):
            return NoHerdError(f"no herd is running at {self.path}: start it with `kherd run`")
        if isinstance(error, PermissionError):
            return ControlError(
                f"{self.path}: permission denied; run this as the user of the herd{_owner(self.path)} or as root"
            )
        if isinstance(error, TimeoutError | BlockingIOError):
            return ControlError(
                f"{self.path}: the supervisor does not take connections; it is stopped or overloaded, see its log"
            )
        return ControlError(f"{self.path}: {error.strerror or error}")

    def _read_line(self, sock: socket.socket, command: str, deadline: float | None, timeout: float | None) -> bytes:
        data = bytearray()
        while not data.endswith(b"\n"):
            left = None if deadline is None else deadline - clock.monotonic()
            if left is not None and left <= 0:
                raise self._late(command, timeout)
            sock.settimeout(left)
            try:
                chunk = sock.recv(CHUNK)
            except TimeoutError:
                raise self._late(command, timeout) from None
            except ConnectionResetError:
                chunk = b""
            if not chunk:
                raise ControlError(
                    f"{self.path}: the supervisor hung up before it answered {command!r}; it may be stopping"
                )
            data += chunk
            if len(data) > MAX_ANSWER:
                raise ControlError(f"{self.path}: the answer to {command!r} has more than {MAX_ANSWER} bytes")
        return bytes(data)

    def _late(self, command: str, timeout: float | None) -> ControlError:
        return ControlError(
            f"{self.path}: no answer to {command!r} within {timeout:g} s; "
            "the supervisor is stopped or overloaded, see its log"
        )


class Watch:
    """Waits for the end of one daemon; `pid` is 0 if it is of another pid namespace."""

    def __init__(self, client: Client, pid: int, pidfd: int | None) -> None:
        self._client = client
        self.pid = pid
        self._pidfd = pidfd

    def ended(self, seconds: float) -> bool:
        """Wait for the end, at most `seconds`; return whether it has come."""
        if self._pidfd is not None:
            return bool(select.select([self._pidfd], [], [], max(0.0, seconds))[0])
        deadline = clock.monotonic() + seconds
        while self._client.alive():
            if clock.monotonic() >= deadline:
                return False
            clock.sleep(GLANCE)
        return True

    def close(self) -> None:
        """Give the descriptor back."""
        if self._pidfd is not None:
            os.close(self._pidfd)
            self._pidfd = None


def _owner(path: Path) -> str:
    try:
        return f" ({path.owner()})"
    except (OSError, KeyError):
        return ""
