"""The exporter process: snapshots and alerts come in over the channel, metrics, answers and deliveries go out.

Nothing that a server or a program does can end it, or make one of them wait for another.
"""

import selectors
import signal
import socket
from collections.abc import Callable
from typing import Any, Final

from ....worker import clock
from ....worker.channel import Channel, Message
from ...decide.metrics import Status
from .courier import Courier, targets
from .front import Front
from .sender import Sender
from .spec import ExporterSpec

GRACE_SECONDS: Final = 2.0
"""What is under way when TERM comes may take so long."""
MARGIN_SECONDS: Final = 0.25
"""Time kept for the end itself, before the deadline of a stop."""


def run(spec: ExporterSpec, channel: Channel) -> int:
    """Serve `channel` until TERM, after what it holds was sent, or until its end of file; return the exit code."""
    exporter = Exporter(spec, channel)
    try:
        return exporter.serve()
    finally:
        exporter.close()


class Exporter:
    """Sends the samples of each snapshot, shows it over HTTP, and hands each alert to the couriers of its targets."""

    def __init__(self, spec: ExporterSpec, channel: Channel, now: Callable[[], float] = clock.monotonic) -> None:
        self._now = now
        self._channel = channel
        self._wake, self._waker = socket.socketpair()
        self._wake.setblocking(False)
        self._waker.setblocking(False)
        statsd = spec.statsd
        self.sender = None if statsd is None else Sender(spec.app, statsd, spec.prefix, self._poke, now)
        self._front = None if spec.http is None else Front(spec.http, now)
        self._couriers = {target.name: Courier(target, self._done(target.name), now) for target in targets(spec)}
        self._deadline = float("inf")
        self._stopping = False

    def serve(self) -> int:
        """Send until told to stop."""
        signal.signal(signal.SIGTERM, self._on_term)
        signal.set_wakeup_fd(self._waker.fileno(), warn_on_full_buffer=False)
        if self.sender is not None:
            self.sender.resolver.ask()
        if self._front is not None:
            self._front.start()
        self._channel.send({"type": "ready"})
        while not self._stopping and not self._channel.closed:
            self._wait()
            self.turn()
        signal.set_wakeup_fd(-1)
        if self._stopping:
            self._finish()
        return 0

    def close(self) -> None:
        """Give everything back but the channel."""
        for courier in self._couriers.values():
            courier.close()
        if self.sender is not None:
            self.sender.close()
        if self._front is not None:
            self._front.close()
        self._wake.close()
        self._waker.close()

    def turn(self) -> None:
        """Take in what has come and send what can be sent."""
        self._drain_wake()
        if self.sender is not None:
            self.sender.turn()
        while not self._channel.closed and (received := self._channel.receive()) is not None:
            self._hear(received[0])
        for courier in self._couriers.values():
            courier.turn()

    def _finish(self) -> None:
        """Send what the channel holds, and let the attempts that are under way end; none is waited for to begin."""
        self.turn()
        until = min(self._now() + GRACE_SECONDS, self._deadline - MARGIN_SECONDS)
        while self._now() < until and not self._channel.closed and any(one.busy for one in self._couriers.values()):
            self._wait(until)
            self.turn()

    def _hear(self, message: Message) -> None:
        match message["type"]:
            case "snapshot":
                self._show(message["status"])
            case "alert":
                for name in message["to"]:
                    if (courier := self._couriers.get(name)) is not None:
                        courier.take(message["id"], message["document"])
            case "ending":
                self._deadline = message["deadline"]

    def _show(self, status: Status) -> None:
        if self.sender is not None:
            self.sender.take(status)
        if self._front is not None:
            self._front.take(status)

    def _done(self, target: str) -> Callable[[int], None]:
        return lambda number: self._channel.send({"type": "alert_done", "id": number, "target": target})

    def _wait(self, until: float | None = None) -> None:
        """Wait until there is something to do, or until `until` (monotonic seconds)."""
        dues = [due for courier in self._couriers.values() if (due := courier.due()) is not None]
        dues += [] if until is None else [until]
        with selectors.DefaultSelector() as selector:
            files = [self._channel.fileno(), self._wake.fileno()]
            for courier in self._couriers.values():
                files += courier.files()
            for file in files:
                selector.register(file, selectors.EVENT_READ)
            selector.select(max(0.0, min(dues) - self._now()) if dues else None)

    def _on_term(self, *_: Any) -> None:
        self._stopping = True

    def _poke(self) -> None:
        try:
            self._waker.send(b"\0")
        except OSError:  # full: it is awake; closed: it has ended
            return

    def _drain_wake(self) -> None:
        try:
            self._wake.recv(4096)
        except BlockingIOError:
            return
