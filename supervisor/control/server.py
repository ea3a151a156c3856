"""The control socket, inside the supervisor's own loop: no thread, no blocking call, bounded in everything.

Who connects is known from the kernel (SO_PEERCRED). A client that sends nothing, half a line, too much or too
often, or does not read, is dropped after PATIENCE seconds at the latest; the loop never waits for it.
"""

import errno
import os
import socket
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Final, Protocol

from ...worker import clock, events, log
from ...worker.redact import redact, scrub
from ..poller import Ready
from .connection import Connection
from .listener import Listener, peer_of
from .protocol import MAX_REQUEST, Answer, ProtocolError, Request, decode_request, encode_answer, refused

MAX_CLIENTS: Final = 32
PATIENCE: Final = 10.0
"""Seconds a client has for sending a request, and for reading an answer."""
REQUESTS_PER_WINDOW: Final = 200
"""Requests of one connection within PATIENCE seconds; a person with `--watch` needs ten."""
ACCEPTS_PER_ROUND: Final = 16
REST: Final = 1.0
"""Seconds without accepting when the kernel has no descriptor left: the listener stays readable."""

Dispatch = Callable[[Request], Answer | None]


class Watcher(Protocol):
    """What the server needs of the loop; `supervisor.poller.Poller` is one."""

    def watch(self, fd: int, callback: Callable[[Ready], None], *, write: bool = False) -> None:
        """Call back when `fd` is readable, or also writable."""

    def forget(self, fd: int) -> None:
        """Stop watching `fd`."""


class ControlServer:
    """Listens at `path`. `dispatch` does a request and returns its answer, or None and calls `answer` later."""

    def __init__(
        self,
        path: Path,
        dispatch: Dispatch,
        poller: Watcher,
        *,
        peers_allowed: Collection[int] | None = None,
        now: Callable[[], float] = clock.monotonic,
    ) -> None:
        """Listen, replacing a socket that nobody listens at; `peers_allowed` (user ids) is root and our own by default.

        Raises:
            AlreadyListeningError: somebody listens.
            OSError: the socket cannot be made.
        """
        self._dispatch = dispatch
        self._poller = poller
        self._allowed = frozenset((0, os.geteuid()) if peers_allowed is None else peers_allowed)
        self._now = now
        self._clients: dict[int, Connection] = {}
        self._numbers = 0
        self._resting_until: float | None = None
        self._complained = -PATIENCE
        self._listener = Listener(path)
        self._poller.watch(self._listener.fileno(), self._accept)

    def fds(self) -> frozenset[int]:
        """Return every descriptor of the server, for who closes all others after a fork."""
        return frozenset((self._listener.fileno(), *(client.fileno() for client in self._clients.values())))

    def answer(self, client: int, answer: Answer) -> None:
        """Answer the request that `client` waits for; a client that has gone since is no error."""
        connection = self._clients.get(client)
        if connection is not None and connection.at_work:
            self._put(connection, answer)
            self._follow_up(connection)

    def deadline(self, now: float) -> float | None:
        """Return when `expire` has something to do, None while nothing is due."""
        due = [client.deadline for client in self._clients.values() if client.deadline is not None]
        if self._resting_until is not None:
            due.append(self._resting_until)
        return max(now, min(due)) if due else None

    def expire(self, now: float) -> None:
        """Drop who is too slow; accept again after a rest."""
        if self._resting_until is not None and self._resting_until <= now:
            self._resting_until = None
            self._poller.watch(self._listener.fileno(), self._accept)
        for connection in list(self._clients.values()):
            if connection.deadline is not None and connection.deadline <= now:
                self._drop(connection)

    def close(self) -> None:
        """Hang up on everybody and remove the socket, if it is still ours."""
        for connection in list(self._clients.values()):
            self._drop(connection)
        self._poller.forget(self._listener.fileno())
        self._listener.close()

    def _accept(self, _ready: Ready) -> None:
        for _ in range(ACCEPTS_PER_ROUND):
            try:
                sock = self._listener.accept()
            except BlockingIOError:
                return
            except OSError as error:
                if error.errno != errno.ECONNABORTED:
                    self._rest(error)
                return
            self._admit(sock)

    def _rest(self, error: OSError) -> None:
        self._poller.forget(self._listener.fileno())
        self._resting_until = self._now() + REST
        self._complain(f"cannot accept: {error.strerror}; trying again in {REST:.0f} s")

    def _admit(self, sock: socket.socket) -> None:
        peer_pid, peer_uid = peer_of(sock)
        self._numbers += 1
        connection = Connection(sock, self._numbers, self._now() + PATIENCE)
        if peer_uid not in self._allowed:
            self._turn_away(connection, f"user id {peer_uid} may not command this herd (pid {peer_pid})")
        elif len(self._clients) >= MAX_CLIENTS:
            self._turn_away(connection, f"{MAX_CLIENTS} clients are connected already")
        else:
            self._clients[connection.number] = connection
            self._watch(connection)

    def _turn_away(self, connection: Connection, reason: str) -> None:
        self._complain(reason)
        connection.put(encode_answer(refused(reason)))
        connection.socket.close()

    def _ready(self, connection: Connection, ready: Ready) -> None:
        if ready.readable:
            connection.read()
        if ready.writable and connection.unsent:
            connection.write()
        self._settle(connection)

    def _settle(self, connection: Connection) -> None:
        """Take the next request, if it is its turn."""
        if not connection.at_work and not connection.unsent and connection.has_line and not connection.flooded:
            self._serve(connection)
        self._follow_up(connection)

    def _follow_up(self, connection: Connection) -> None:
        """Let go of who is gone or sends too much, and watch for what the others will do next."""
        if connection.number not in self._clients:
            return
        if connection.flooded:
            self._refuse(
                connection, f"more than {MAX_REQUEST} bytes were sent as one request, or before an answer was read"
            )
        elif connection.gone:
            self._drop(connection)
        else:
            self._watch(connection)

    def _serve(self, connection: Connection) -> None:
        if self._over_budget(connection):
            self._refuse(connection, f"more than {REQUESTS_PER_WINDOW} requests in {PATIENCE:.0f} s")
            return
        connection.at_work, connection.deadline = True, None
        try:
            request = decode_request(connection.take_line())
        except ProtocolError as error:
            self._put(connection, refused(str(error)))
            return
        answer = self._dispatch(Request(request.command, request.args, connection.number))
        if answer is not None:
            self._put(connection, answer)

    def _over_budget(self, connection: Connection) -> bool:
        now = self._now()
        if now - connection.window_start >= PATIENCE:
            connection.window_start, connection.requests = now, 0
        connection.requests += 1
        return connection.requests > REQUESTS_PER_WINDOW

    def _put(self, connection: Connection, answer: Answer) -> None:
        connection.at_work = False
        line = encode_answer(answer)
        if redact(line.decode()) != line.decode():
            # Only now value by value: cut out of the line itself, a secret such as `1` would leave no JSON.
            line = encode_answer(Answer(answer.ok, scrub(answer.data), scrub(answer.error)))
        connection.put(line)
        connection.deadline = self._now() + PATIENCE

    def _refuse(self, connection: Connection, reason: str) -> None:
        """Say why, if it can still be said, and hang up."""
        self._complain(reason)
        if not connection.unsent and not connection.gone:
            connection.put(encode_answer(refused(reason)))
        self._drop(connection)

    def _watch(self, connection: Connection) -> None:
        # A whole line that waits makes no descriptor readable: being writable brings the loop back to it.
        waiting = connection.unsent or (connection.has_line and not connection.at_work)
        self._poller.watch(connection.fileno(), lambda ready: self._ready(connection, ready), write=waiting)

    def _drop(self, connection: Connection) -> None:
        if self._clients.pop(connection.number, None) is not None:
            self._poller.forget(connection.fileno())
            connection.socket.close()

    def _complain(self, reason: str) -> None:
        """Log at most one refusal per PATIENCE seconds: a client must not be able to fill the log."""
        now = self._now()
        if now - self._complained >= PATIENCE:
            self._complained = now
            log.emit(events.CONTROL_REFUSED, reason=reason)
