"""A real HTTP server that receives alerts, answers as told, and remembers what it got."""

import json
import ssl
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

HANG = 0
"""Instead of a status: never answer."""


class Receiver:
    """`answers` are the statuses of the next requests, then 200 for ever; `got` are (path, headers, document)."""

    def __init__(self, answers: Iterable[int] = (), tls: ssl.SSLContext | None = None) -> None:
        self.answers = list(answers)
        self.got: list[tuple[str, dict[str, str], Any]] = []
        self.statuses: list[int] = []
        self._released = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        if tls is not None:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        self._scheme = "http" if tls is None else "https"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})
        self._thread.start()

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    def url(self, path: str = "/hook", host: str = "127.0.0.1") -> str:
        return f"{self._scheme}://{host}:{self.port}{path}"

    @property
    def accepted(self) -> list[Any]:
        """The documents that were answered with 2xx."""
        return [one[2] for one, status in zip(self.got, self.statuses, strict=True) if 200 <= status < 300]

    def close(self) -> None:
        self._released.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status = receiver.answers.pop(0) if receiver.answers else 200
                receiver.got.append((self.path, dict(self.headers), json.loads(body)))
                receiver.statuses.append(status)
                if status == HANG:
                    receiver._released.wait()
                    return
                self.send_response(status, "a reason of the server's own")
                if 300 <= status < 400:
                    self.send_header("Location", "/elsewhere")
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                return

        return Handler


@contextmanager
def receiver(*answers: int, tls: ssl.SSLContext | None = None) -> Iterator[Receiver]:
    """Serve while the block runs."""
    made = Receiver(answers, tls)
    try:
        yield made
    finally:
        made.close()
