"""Lost time: while the supervisor itself did not run (SIGSTOP, a suspended machine) no limit of a child runs either.

Whether the children ran meanwhile cannot be known, so they are believed not to have. Only the end that a stop has
promised stays where it is.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from .child import Child, State


@dataclass(frozen=True, slots=True)
class Gap:
    """Time in which the supervisor did not run: it ended at `end` (monotonic seconds) and lasted for `seconds`."""

    end: float
    seconds: float


def lived(since: float, now: float, gaps: Iterable[Gap]) -> float:
    """Return the seconds from `since` to `now` without those of gaps that ended in between; never below 0."""
    return max(0.0, now - since - sum(min(gap.seconds, gap.end - since) for gap in gaps if since < gap.end <= now))


def postpone(child: Child, seconds: float, *, stopping: bool) -> Child:
    """Return `child` with its deadline `seconds` later, unless that is when a stop promised to end.

    A backoff is a wait, which has been waited.
    """
    if child.deadline is None or child.state is State.BACKOFF or (stopping and child.state is State.DRAINING):
        return child
    return replace(child, deadline=child.deadline + seconds)
