"""Whether any broker answers: known within PROBE + TRIES x TIMEOUT seconds of a change."""

from collections.abc import Callable
from typing import Final, Protocol

from ....worker import clock, events, log
from .cluster import ClusterError
from .mailbox import Mailbox, send

PROBE: Final = 1.0
"""Seconds between two questions."""
TIMEOUT: Final = 1.0
TRIES: Final = 4
"""Each may go to another broker: one of several that hangs is no outage."""


class Answering(Protocol):
    """What of a Cluster is asked here."""

    def ping(self, seconds: float) -> None:
        """Ask any broker; raise ClusterError if it does not answer in time."""


class Reach:
    """Reports each change, the first answer included."""

    def __init__(self, cluster: Answering, mailbox: Mailbox, now: Callable[[], float] = clock.monotonic) -> None:
        self._cluster = cluster
        self._mailbox = mailbox
        self._now = now
        self._since = now()
        self.reachable: bool | None = None

    def look(self) -> bool:
        """Ask, report a change, return whether a broker answered."""
        problem = self._problem()
        if self.reachable is not (problem is None):
            self._report(problem)
        return problem is None

    def _problem(self) -> str | None:
        problem = None
        for _ in range(TRIES):
            try:
                self._cluster.ping(TIMEOUT)
            except ClusterError as error:
                problem = str(error)
            else:
                return None
        return problem

    def _report(self, problem: str | None) -> None:
        now = self._now()
        if problem is not None:
            log.emit(events.BROKERS_UNREACHABLE, reason=problem)
        elif self.reachable is False:
            log.emit(events.BROKERS_REACHABLE, seconds=now - self._since)
        self._since, self.reachable = now, problem is None
        send(self._mailbox, "brokers", reachable=problem is None, reason=problem or "")
