"""Rates over the last seconds, and minutes, from totals that are read once a second."""

from collections import deque
from collections.abc import Mapping
from typing import Final

from .decide.errorrate import Window, look, rate

WINDOW_SECONDS: Final = 10.0


class Rates:
    """Remembers the totals of the last WINDOW_SECONDS."""

    def __init__(self) -> None:
        self._seen: deque[tuple[float, Mapping[str, int]]] = deque()
        self._window = Window()

    def note(self, now: float, totals: Mapping[str, int]) -> None:
        """Remember `totals`, read at `now` (monotonic seconds)."""
        self._seen.append((now, totals))
        while len(self._seen) > 2 and now - self._seen[0][0] > WINDOW_SECONDS:  # noqa: PLR2004 - a rate needs two
            self._seen.popleft()
        self._window = look(self._window, now, totals.get("calls", 0), totals.get("failed", 0))

    @property
    def lasting_errors(self) -> float | None:
        """The share of the handler calls of the last minutes that failed, None if there were too few of them."""
        return rate(self._window)

    def document(self) -> dict[str, float]:
        """Return `processing_rate` (records handled per second) and `error_rate` (failed of all calls, 0 to 1)."""
        if not self._seen:
            return {"processing_rate": 0.0, "error_rate": 0.0}
        (first_at, first), (last_at, last) = self._seen[0], self._seen[-1]
        seconds, calls = last_at - first_at, _grown(first, last, "calls")
        return {
            "processing_rate": _grown(first, last, "handled") / seconds if seconds > 0 else 0.0,
            "error_rate": _grown(first, last, "failed") / calls if calls > 0 else 0.0,
        }


def _grown(first: Mapping[str, int], last: Mapping[str, int], name: str) -> int:
    return max(0, last.get(name, 0) - first.get(name, 0))
