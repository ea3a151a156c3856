"""The exporter process: snapshots come in over the channel, metrics go out. Nothing that a server does can end it."""

import selectors
import signal
import socket
from collections.abc import Callable
from typing import Any, Final

from ....worker import clock, events, log
from ....worker.channel import Channel
from ...decide.metrics import Status, samples
from .resolver import Address, Resolver, Unresolved, split
from .spec import ExporterSpec
from .statsd import Statsd, prefix_of

LOOK_UP_EVERY: Final = 60.0
"""Seconds an address is trusted: servers move, and UDP does not tell."""
COMPLAIN_EVERY: Final = 60.0


def run(spec: ExporterSpec, channel: Channel) -> int:
    """Serve `channel` until TERM, after what it holds was sent, or until its end of file; return the exit code."""
    exporter = Exporter(spec, channel)
    try:
        return exporter.serve()
    finally:
        exporter.close()


class Exporter:
    """Sends the samples of each snapshot."""

    def __init__(self, spec: ExporterSpec, channel: Channel, now: Callable[[], float] = clock.monotonic) -> None:
        self._now = now
        self._spec = spec
        self._channel = channel
        self._wake, self._waker = socket.socketpair()
        self._wake.setblocking(False)
        self._waker.setblocking(False)
        self._resolver = Resolver(*split(spec.statsd), done=self._poke)
        self._client: Statsd | None = None
        self._looked_up_at = self._now()
        self._addresses: tuple[Address, ...] = ()
        self._previous: Status | None = None
        self._unsent: Status | None = None
        self._complained_at: float | None = None
        self._stopping = False

    def serve(self) -> int:
        """Send until told to stop."""
        signal.signal(signal.SIGTERM, self._on_term)
        signal.set_wakeup_fd(self._waker.fileno(), warn_on_full_buffer=False)
        self._resolver.ask()
        with selectors.DefaultSelector() as selector:
            selector.register(self._channel, selectors.EVENT_READ)
            selector.register(self._wake, selectors.EVENT_READ)
            while not self._stopping and not self._channel.closed:
                selector.select()
                self.turn()
        signal.set_wakeup_fd(-1)
        if self._stopping:
            self.turn()
        return 0

    def close(self) -> None:
        """Give everything back but the channel."""
        self._resolver.close()
        self._wake.close()
        self._waker.close()
        if self._client is not None:
            self._client.close()

    def turn(self) -> None:
        """Take in what has come and send what can be sent."""
        self._drain_wake()
        self._take_address()
        while not self._channel.closed and (received := self._channel.receive()) is not None:
            message, _ = received
            if message["type"] == "snapshot":
                self._take(message["status"])

    def _take(self, status: Status) -> None:
        if self._client is None:
            # Counters add up by themselves: the next document holds what this one would have told.
            self._unsent = self._unsent or status
            self._resolver.ask()
        else:
            self._send(self._client, status)

    def _send(self, client: Statsd, status: Status) -> None:
        client.send(samples(status, self._previous))
        self._previous = status
        if client.error is not None:
            self._complain(client.error)
            self._connect((*self._addresses[1:], self._addresses[0]))
        if client.error is not None or self._now() - self._looked_up_at >= LOOK_UP_EVERY:
            self._resolver.ask()

    def _take_address(self) -> None:
        found = self._resolver.take()
        if found is None:
            return
        self._looked_up_at = self._now()
        if isinstance(found, Unresolved):
            self._complain(found.reason)  # an address that was good once stays in use
        elif self._client is None or self._addresses[0] not in found:
            self._connect(found)
        if self._client is not None and self._unsent is not None:
            unsent, self._unsent = self._unsent, None
            self._send(self._client, unsent)

    def _connect(self, addresses: tuple[Address, ...]) -> None:
        """Use the first of `addresses`; the others get their turn when nobody listens there."""
        self._addresses = addresses
        try:
            client = Statsd(addresses[0], prefix_of(self._spec.prefix, self._spec.app))
        except OSError as error:
            self._complain(error.strerror or str(error))
            return
        if self._client is not None:
            self._client.close()
        self._client = client

    def _complain(self, reason: str) -> None:
        now = self._now()
        if self._complained_at is None or now - self._complained_at >= COMPLAIN_EVERY:
            self._complained_at = now
            log.emit(events.METRICS_FAILED, address=self._spec.statsd, reason=reason)

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
