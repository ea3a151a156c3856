"""When the exporter is sent a snapshot: at a steady pace, and at once when an exporter has come."""

from collections.abc import Callable

from ..worker import clock
from ..worker.channel import Message
from .decide.health import SNAPSHOT_SECONDS


class Snapshots:
    """`send` sends one; `wanted` says whether anybody reads them."""

    def __init__(self, wanted: Callable[[], bool], send: Callable[[], None]) -> None:
        self._wanted, self._send = wanted, send
        self._due = 0.0

    def tick(self, now: float) -> None:
        """Send one if it is time, at `now` (monotonic seconds)."""
        if now >= self._due and self._wanted():
            self._due = now + SNAPSHOT_SECONDS
            self._send()

    def then(self, hear: Callable[[Message], None]) -> Callable[[Message], None]:
        """Return what hears the exporter: a new one gets a snapshot, and `hear` gets every message."""

        def heard(message: Message) -> None:
            if message["type"] == "ready":
                self._due = 0.0
                self.tick(clock.monotonic())
            hear(message)

        return heard
