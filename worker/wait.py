"""Why a partition that was assigned does not begin yet, and what is known so far."""

from dataclasses import dataclass, field

from .decide.handover import Commit, Entry, Log
from .decide.metadata import Note
from .names import FRESH


@dataclass(slots=True)
class Wait:
    """Why a partition waits: for `commit`, or with `entries` or a `note` for the topic's identity or its log."""

    since: float
    commit: Commit | None = None
    entries: list[Entry] = field(default_factory=list)
    note: Note | None = None
    log: Log | None = None
    seen_at: float = 0.0

    def sees(self, now: float) -> bool:
        """Return whether its log is known as of late."""
        return self.log is not None and now - self.seen_at < FRESH
