"""Whether an alert that could not be delivered is tried again, and when: bounded in number and in time."""

import random
from dataclasses import dataclass

from .restart import backoff


@dataclass(frozen=True, slots=True)
class Policy:
    """So many attempts at most, none later than `seconds` after the first; waits double up to `backoff_max` seconds."""

    attempts: int = 10
    seconds: float = 300.0
    backoff_max: float = 60.0


@dataclass(frozen=True, slots=True)
class Again:
    """Try again at `at` (monotonic seconds)."""

    at: float


@dataclass(frozen=True, slots=True)
class GiveUp:
    """Do not, for this reason."""

    reason: str


def plan(policy: Policy, failures: int, *, final: bool, began: float, now: float, rng: random.Random) -> Again | GiveUp:
    """Return what follows the `failures`th failure (from 1); `began` is when the first attempt was made.

    `final`: the receiver has said that it will never take it.
    """
    if final:
        return GiveUp("another attempt cannot help")
    if failures >= policy.attempts:
        return GiveUp(f"{failures} attempts were made")
    at = now + backoff(policy.backoff_max, failures, rng)
    if at - began > policy.seconds:
        return GiveUp(f"{policy.seconds:g} s are over")
    return Again(at)
