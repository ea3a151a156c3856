"""Whether, and when, a child that ended is started again.

A child that had been ready for long enough comes back at once, and so does one that a record has killed. Any other end
is a failed start: exponential backoff with jitter, capped, and a window of failed starts over the whole herd
(Erlang/OTP's restart intensity), past which the herd is degraded or given up.
"""

import random
from dataclasses import dataclass
from typing import Final, Literal

STEADY_SECONDS: Final = 1.0
"""Ready for this long is ready long enough."""
BACKOFF_INITIAL: Final = 0.5
JITTER: Final = 0.25


@dataclass(frozen=True, slots=True)
class StayDown:
    """It is not wanted any more."""


@dataclass(frozen=True, slots=True)
class Again:
    """Start it at `at` (monotonic seconds); `degraded` if the restart intensity is exceeded."""

    at: float
    degraded: bool = False


@dataclass(frozen=True, slots=True)
class Hold:
    """Starting again cannot help."""

    reason: str


Plan = StayDown | Again | Hold


@dataclass(frozen=True, slots=True)
class RestartPolicy:
    """`intensity` failed starts within `period` seconds are borne; one more is too many."""

    backoff_max: float = 30.0
    intensity: int = 10
    period: float = 60.0
    give_up: Literal["hold", "exit"] = "hold"


@dataclass(frozen=True, slots=True)
class Failures:
    """Failed starts: in a row for one child, and the times of all of the herd's within the period."""

    in_a_row: int = 0
    recent: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class End:
    """How a child ended. `asked` if we stopped it; `steady` if it had been ready for STEADY_SECONDS.

    `blamed` if what it was just doing is to blame, and will not be done for ever.
    """

    wanted: bool
    asked: bool
    steady: bool
    permanent: str | None = None
    blamed: bool = False


def plan_restart(
    policy: RestartPolicy, failures: Failures, end: End, now: float, rng: random.Random
) -> tuple[Plan, Failures]:
    """Return what to do after `end`, and the failures to remember."""
    if not end.wanted:
        return StayDown(), Failures(0, failures.recent)
    if end.asked or end.blamed:
        return Again(now), Failures(0, failures.recent)
    if end.permanent is not None:
        return Hold(end.permanent), failures
    if end.steady:
        return Again(now), Failures(0, failures.recent)
    recent = (*(at for at in failures.recent if now - at < policy.period), now)
    after = Failures(failures.in_a_row + 1, recent)
    if len(recent) > policy.intensity:
        return Again(now + policy.backoff_max, degraded=True), after
    return Again(now + backoff(policy.backoff_max, after.in_a_row, rng)), after


def backoff(longest: float, failures: int, rng: random.Random) -> float:
    """Return the seconds to wait after `failures` (>= 1) failed starts in a row: 0.5 s doubled, +-25 %, capped."""
    exponent = min(failures - 1, 30)
    return float(min(longest, BACKOFF_INITIAL * 2**exponent * rng.uniform(1 - JITTER, 1 + JITTER)))
