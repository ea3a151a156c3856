"""A fake database: a TCP server that answers, is gone, or takes connections and hangs up; it knows who came when."""

import socket
import threading
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Final, Self

from ..worker import clock

ANSWER: Final = b"ok\n"
BACKLOG: Final = 128
CLIENT: Final = """
import socket

def save(port):
    with socket.create_connection(("127.0.0.1", port), 5) as connection:
        connection.sendall(b"save\\n")
        if connection.recv(16) != b"ok\\n":
            raise ConnectionError("the database has hung up")
"""
"""Source of `save(port)` for a handler: one request; raises OSError while the database is away."""


@dataclass(slots=True)
class Visit:
    """One connection; times are monotonic seconds. `until` is when the server was done with it."""

    since: float
    until: float = float("inf")
    answered: bool = False


class Database:
    """One server on a port of its own, a context manager; a visit takes `seconds` of the server's time."""

    def __init__(self, seconds: float = 0.0) -> None:
        self._seconds = seconds
        self._well = True
        self._listener: socket.socket | None = None
        self.visits: list[Visit] = []
        self.port = 0
        self.come_back()

    def go_away(self) -> None:
        """Close the port: connections are refused."""
        listener, self._listener = self._listener, None
        if listener is not None:
            with suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)  # wakes the thread that accepts
            listener.close()

    def fall_sick(self) -> None:
        """Take connections and hang up after a while."""
        self._well = False
        if self._listener is None:
            self._listen()

    def come_back(self) -> None:
        """Answer again."""
        self._well = True
        if self._listener is None:
            self._listen()

    def busiest(self, since: float = 0.0) -> int:
        """Return how many visits, of those begun after `since`, there were at a time at most."""
        visits = [visit for visit in list(self.visits) if visit.since >= since]
        moments = [(visit.until, -1) for visit in visits] + [(visit.since, 1) for visit in visits]
        most = now = 0
        for _, change in sorted(moments):
            now += change
            most = max(most, now)
        return most

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self.go_away()

    def _listen(self) -> None:
        listener = socket.create_server(("127.0.0.1", self.port), backlog=BACKLOG)
        self.port = listener.getsockname()[1]
        self._listener = listener
        threading.Thread(target=self._serve, args=(listener,), name="database", daemon=True).start()

    def _serve(self, listener: socket.socket) -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            visit = Visit(clock.monotonic())
            self.visits.append(visit)
            threading.Thread(target=self._answer, args=(connection, visit), name="database", daemon=True).start()

    def _answer(self, connection: socket.socket, visit: Visit) -> None:
        with connection, suppress(OSError):
            connection.recv(64)
            clock.sleep(self._seconds)
            visit.answered = self._well
            # Before the client can know of it: its next visit may be here sooner than the next line of this thread.
            visit.until = clock.monotonic()
            if self._well:
                connection.sendall(ANSWER)
