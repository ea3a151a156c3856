"""Which share of the handler calls of the last minutes failed, from running totals; pure, and bounded in size.

Time is cut into steps: what a total has grown by since the last look counts for the step of that look, and a step
counts until the window has passed over it whole.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

WINDOW_SECONDS: Final = 300.0
STEP_SECONDS: Final = 5.0
LEAST_CALLS: Final = 100
"""Of fewer calls a share says nothing."""


@dataclass(frozen=True, slots=True)
class Step:
    """The calls that were first seen in the step with this number, and how many of them failed."""

    number: int
    calls: int
    failed: int


@dataclass(frozen=True, slots=True)
class Window:
    """The steps of the last WINDOW_SECONDS, oldest first, and the totals at the last look; None before the first."""

    steps: tuple[Step, ...] = ()
    totals: tuple[int, int] | None = None


def look(window: Window, now: float, calls: int, failed: int) -> Window:
    """Return the window after a look at `now` (monotonic seconds), at which there have been so many calls in all.

    Totals may only grow; one that is smaller than before is where counting goes on from, and no calls.
    """
    number = int(now // STEP_SECONDS)
    before_calls, before_failed = window.totals or (calls, failed)
    new = Step(number, max(0, calls - before_calls), max(0, failed - before_failed))
    steps = list(_within(window.steps, number))
    if steps and steps[-1].number == number:
        last = steps.pop()
        new = Step(number, last.calls + new.calls, last.failed + new.failed)
    if new.calls or new.failed:
        steps.append(new)
    return Window(tuple(steps), (calls, failed))


def rate(window: Window) -> float | None:
    """Return failed of all calls, from 0 to 1; None if some failed and there were too few to speak of a share.

    With no failure it is 0 however few there were: a herd that has nothing to do any more has no errors either, while
    one whose partitions all wait makes few calls, all of which fail.
    """
    calls, failed = (sum(getattr(step, name) for step in window.steps) for name in ("calls", "failed"))
    if failed == 0:
        return 0.0
    return min(1.0, failed / calls) if calls >= LEAST_CALLS else None


def _within(steps: tuple[Step, ...], number: int) -> Iterator[Step]:
    oldest = number - int(WINDOW_SECONDS / STEP_SECONDS)
    return (step for step in steps if oldest < step.number <= number)
