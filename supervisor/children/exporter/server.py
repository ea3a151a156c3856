"""The HTTP server behind `metrics.http`: few clients at a time, none of them for long, whatever they send."""

import socket
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import TCPServer
from typing import Any, Final
from urllib.parse import urlsplit

from ....worker import clock, events, log

MOST_CLIENTS: Final = 16
SILENCE_SECONDS: Final = 5.0
"""A client may be silent, or not read, for so long."""
CLIENT_SECONDS: Final = 10.0
"""So long it may take in all."""
GLANCE_SECONDS: Final = 0.5
BREATH_SECONDS: Final = 0.1
"""Between two attempts to accept when there is no descriptor left."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a request gets."""

    status: HTTPStatus
    kind: str
    body: bytes


class Server(ThreadingHTTPServer):
    """Listens on a socket address of `family`; `answer` gets path and Accept header, in the thread of a client."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, family: int, address: Any, answer: Callable[[str, str], Answer]) -> None:
        """Listen; raises OSError if that cannot be."""
        self.address_family = family
        self.answer = answer
        self._clients: dict[Any, float] = {}
        self._closing = False
        super().__init__(address, Handler)

    def serve(self) -> None:
        """Answer until `end`."""
        while not self._closing:
            self.timeout = GLANCE_SECONDS if self._clients else None
            self.handle_request()
            self._cut_off(clock.monotonic())

    def end(self) -> None:
        """Have `serve` return; may be called from another thread."""
        self._closing = True
        with suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)  # wakes who waits for a connection (Linux)

    def server_bind(self) -> None:
        """Bind without looking up a name for the address, which may take long."""
        TCPServer.server_bind(self)
        self.server_name, self.server_port = str(self.server_address[0]), int(self.server_address[1])

    def get_request(self) -> tuple[socket.socket, Any]:
        """Accept a connection."""
        try:
            return super().get_request()
        except OSError:
            if not self._closing:
                clock.sleep(BREATH_SECONDS)
            raise

    def process_request(self, request: Any, client_address: Any) -> None:
        """Answer it in a thread; of too many at a time the last ones are hung up on."""
        if len(self._clients) >= MOST_CLIENTS:
            self.shutdown_request(request)
            return
        self._clients[request] = clock.monotonic()
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        """Be done with a client."""
        self._clients.pop(request, None)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Pass over a client that went away; anything else is a mistake of ours."""
        del request, client_address
        error = sys.exception()
        if not isinstance(error, OSError):
            log.emit(events.INTERNAL_ERROR, error=error, reason=f"metrics.http: {error}")

    def _cut_off(self, now: float) -> None:
        for client, since in list(self._clients.items()):
            if now - since > CLIENT_SECONDS:
                with suppress(OSError):
                    client.shutdown(socket.SHUT_RDWR)


class Handler(BaseHTTPRequestHandler):
    """One request on one connection."""

    server: Server
    timeout = SILENCE_SECONDS
    server_version = "kherd"
    sys_version = ""

    def __getattr__(self, name: str) -> Any:
        # Every method that is not answered is refused alike, those that nobody has heard of too.
        if name.startswith("do_"):
            return self._refuse
        raise AttributeError(name)

    def do_GET(self) -> None:
        """Answer with a body."""
        self._send(self._answer(), with_body=True)

    def do_HEAD(self) -> None:
        """Answer without it."""
        self._send(self._answer(), with_body=False)

    def log_message(self, *_: Any) -> None:
        """Say nothing of a client's mistakes."""

    def _answer(self) -> Answer:
        try:
            path = urlsplit(self.path).path
        except ValueError:  # brackets that are no address
            path = self.path
        return self.server.answer(path, self.headers.get("Accept", ""))

    def _refuse(self) -> None:
        refusal = Answer(HTTPStatus.METHOD_NOT_ALLOWED, "text/plain", b"only GET and HEAD\n")
        self._send(refusal, with_body=True, Allow="GET, HEAD")

    def _send(self, answer: Answer, *, with_body: bool, **headers: str) -> None:
        self.send_response(answer.status)
        for name, value in {**headers, "Content-Type": answer.kind, "Content-Length": str(len(answer.body))}.items():
            self.send_header(name, value)
        self.end_headers()
        if with_body:
            self.wfile.write(answer.body)
