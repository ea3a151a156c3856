"""Snapshots to statsd: their samples are sent once there is an address, and nothing that a server does can end it."""

from collections.abc import Callable
from typing import Final

from ....worker import clock, events, log
from ...decide.metrics import Status, samples
from .resolver import Address, Resolver, Unresolved, split
from .statsd import Statsd, prefix_of

LOOK_UP_EVERY: Final = 60.0
"""Seconds an address is trusted: servers move, and UDP does not tell."""
COMPLAIN_EVERY: Final = 60.0


class Sender:
    """Sends the samples of each snapshot of `app` to `place`; a thread calls `poke` when `turn` has something to do."""

    def __init__(
        self, app: str, place: str, prefix: str, poke: Callable[[], None], now: Callable[[], float] = clock.monotonic
    ) -> None:
        self._place, self._prefix, self._now = place, prefix_of(prefix, app), now
        self.resolver = Resolver(*split(place), done=poke)
        self._client: Statsd | None = None
        self._looked_up_at = self._now()
        self._addresses: tuple[Address, ...] = ()
        self._previous: Status | None = None
        self._unsent: Status | None = None
        self._complained_at: float | None = None

    def close(self) -> None:
        """Give everything back."""
        self.resolver.close()
        if self._client is not None:
            self._client.close()

    def take(self, status: Status) -> None:
        """Send a snapshot, or keep it until there is an address."""
        if self._client is None:
            # Counters add up by themselves: the next document holds what this one would have told.
            self._unsent = self._unsent or status
            self.resolver.ask()
        else:
            self._send(self._client, status)

    def turn(self) -> None:
        """Take in an address that was found."""
        found = self.resolver.take()
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

    def _send(self, client: Statsd, status: Status) -> None:
        client.send(samples(status, self._previous))
        self._previous = status
        if client.error is not None:
            self._complain(client.error)
            self._connect((*self._addresses[1:], self._addresses[0]))
        if client.error is not None or self._now() - self._looked_up_at >= LOOK_UP_EVERY:
            self.resolver.ask()

    def _connect(self, addresses: tuple[Address, ...]) -> None:
        """Use the first of `addresses`; the others get their turn when nobody listens there."""
        self._addresses = addresses
        try:
            client = Statsd(addresses[0], self._prefix)
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
            log.emit(events.METRICS_FAILED, address=self._place, reason=reason)
