"""When the exporter is sent a snapshot: at a steady pace, and at once when an exporter has come."""

from collections.abc import Callable

from ..worker import clock
from ..worker.channel import Message
from . import briefs
from .config.schema import Settings
from .decide.health import SNAPSHOT_SECONDS


class Snapshots:
    """`send` sends one, if the settings in force ask for metrics; `passed_on` gets what the exporter says."""

    def __init__(
        self, settings: Callable[[], Settings], send: Callable[[], None], passed_on: Callable[[Message], None]
    ) -> None:
        self._settings, self._send, self._passed_on = settings, send, passed_on
        self._due = 0.0

    def tick(self, now: float) -> None:
        """Send one if it is time, at `now` (monotonic seconds)."""
        if now >= self._due and briefs.wants_snapshots(self._settings()):
            self._due = now + SNAPSHOT_SECONDS
            self._send()

    def hear(self, message: Message) -> None:
        """Take in what the exporter says: that it is there, among others."""
        if message["type"] == "ready":
            self._due = 0.0
            self.tick(clock.monotonic())
        self._passed_on(message)
