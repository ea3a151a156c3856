"""How long something is known to have been calm: only time between two calm readings in a row counts."""

from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True, slots=True)
class Calm:
    """`seconds` of calm so far; `at` is when the newest reading was calm (monotonic seconds), else None."""

    seconds: float = 0.0
    at: float | None = None

    def read(self, now: float) -> Self:
        """Return the calm after another calm reading."""
        since = 0.0 if self.at is None else max(0.0, now - self.at)
        return type(self)(self.seconds + since, now)

    def interrupt(self) -> Self:
        """Return the calm after a reading that told nothing: it stays, and time until the next one does not count."""
        return type(self)(self.seconds)
