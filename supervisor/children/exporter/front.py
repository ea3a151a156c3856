"""Prometheus and probes at the door: `/metrics`, `/healthz`, `/readyz`, served in a thread of their own.

A port that cannot be had is said and tried again; nothing else waits for it.
"""

import json
import socket
import threading
from collections.abc import Callable
from http import HTTPStatus
from typing import Final

from ....worker import clock, events, log
from ...decide import health
from ...decide.metrics import Status
from .collector import encode
from .server import Answer, Server

RETRY_SECONDS: Final = 5.0
COMPLAIN_EVERY: Final = 60.0
TEXT: Final = "text/plain; charset=utf-8"
PATHS: Final = b"/metrics, /healthz and /readyz are here\n"


class Front:
    """Answers on `place`, HOST:PORT, by the last snapshot that `take` got."""

    def __init__(self, place: str, now: Callable[[], float] = clock.monotonic) -> None:
        self._place, self._now = place, now
        self._state = health.State(heard_at=now())
        self._server: Server | None = None
        self._closing = threading.Event()
        self._complained_at: float | None = None
        self._thread = threading.Thread(target=self._run, name="http", daemon=True)

    def start(self) -> None:
        """Begin to listen."""
        self._thread.start()

    def take(self, status: Status) -> None:
        """Answer by this snapshot from now on."""
        self._state = health.hear(self._state, status, self._now())

    def close(self) -> None:
        """Stop listening; returns at once."""
        self._closing.set()
        if self._server is not None:
            self._server.end()

    def answer(self, path: str, accept: str) -> Answer:
        """Return what a GET of `path` gets."""
        state, now = self._state, self._now()  # one look: the loop's thread replaces it
        match path:
            case "/metrics":
                return _metrics(state, now, accept)
            case "/healthz":
                silence = health.silence(state, now)
                return Answer(_status(silence is None), TEXT, f"{silence or 'ok'}\n".encode())
            case "/readyz":
                reasons = health.unready(state, now)
                body = json.dumps({"ready": not reasons, "reasons": reasons}) + "\n"
                return Answer(_status(not reasons), "application/json", body.encode())
        return Answer(HTTPStatus.NOT_FOUND, TEXT, PATHS)

    def _run(self) -> None:
        while not self._closing.is_set():
            try:
                server = listen(self._place, self.answer)
            except (OSError, UnicodeError) as error:  # UnicodeError: a label that no host name may have
                self._complain(getattr(error, "strerror", None) or str(error))
                self._closing.wait(RETRY_SECONDS)
                continue
            with server:
                self._server = server
                # After `_server` is set: `close` does both the other way round.
                if not self._closing.is_set():
                    log.emit(events.HTTP_LISTENS, address=self._place)
                    server.serve()

    def _complain(self, reason: str) -> None:
        now = self._now()
        if self._complained_at is None or now - self._complained_at >= COMPLAIN_EVERY:
            self._complained_at = now
            log.emit(events.HTTP_FAILED, address=self._place, reason=reason, seconds=RETRY_SECONDS)


def listen(place: str, answer: Callable[[str, str], Answer]) -> Server:
    """Return a server on the first address of `place` that can be had, IPv4 first; may block in the resolver.

    Raises:
        OSError: none can be had; that of the last one.
    """
    host, _, port = place.rpartition(":")
    found = socket.getaddrinfo(
        host.removeprefix("[").removesuffix("]"), int(port), type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )
    failure = OSError("it has no address")
    for family, _, _, _, address in sorted(found, key=lambda one: one[0] is socket.AF_INET6):
        try:
            return Server(family, address, answer)
        except OSError as error:
            failure = error
    raise failure


def _metrics(state: health.State, now: float, accept: str) -> Answer:
    """Answer with numbers only while they are true: a scrape that fails says more than old ones."""
    silence = health.silence(state, now)
    if state.status is None or silence is not None:
        return Answer(HTTPStatus.SERVICE_UNAVAILABLE, TEXT, f"{silence or health.REASONS['unheard']}\n".encode())
    kind, body = encode(state.status, accept)
    return Answer(HTTPStatus.OK, kind, body)


def _status(good: bool) -> HTTPStatus:
    return HTTPStatus.OK if good else HTTPStatus.SERVICE_UNAVAILABLE
