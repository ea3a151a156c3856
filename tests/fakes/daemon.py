"""A daemon with nothing behind it but its control socket, in a thread of the test."""

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

from kherd.supervisor.control.protocol import Answer, Request, done, refused
from kherd.supervisor.control.server import ControlServer
from kherd.supervisor.poller import Poller

Reply = Answer | Callable[[Request], Answer | None]


class FakeDaemon:
    """Answers each command from `replies`; remembers what was asked. `reply(later=…)` answers one it had left open."""

    def __init__(self, path: Path, replies: Mapping[str, Reply], **options: Any) -> None:
        self.path = path
        self.requests: list[Request] = []
        self._replies = replies
        self._poller = Poller()
        self.server = ControlServer(path, self._dispatch, self._poller, **options)
        self._running = True
        self._thread = threading.Thread(target=self._serve)

    @classmethod
    @contextmanager
    def at(cls, path: Path, replies: Mapping[str, Reply], **options: Any) -> Iterator[Self]:
        """Run one while the block runs."""
        daemon = cls(path, replies, **options)
        daemon._thread.start()
        try:
            yield daemon
        finally:
            daemon.end()

    def end(self) -> None:
        """Stop listening; may be called twice."""
        self._running = False
        if self._thread.ident is not None and threading.current_thread() is not self._thread:
            self._thread.join()

    def _dispatch(self, request: Request) -> Answer | None:
        self.requests.append(request)
        reply = self._replies.get(request.command, refused("no such reply in this fake"))
        return reply(request) if callable(reply) else reply

    def _serve(self) -> None:
        while self._running:
            self._poller.wait(0.02)
        self.server.close()
        self._poller.close()


YES = done({"yes": True})
