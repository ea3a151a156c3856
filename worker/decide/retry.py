"""When a record that failed is tried again: exponential backoff with jitter, then the end of its attempts."""

import random
from dataclasses import dataclass, replace
from typing import Final, Literal

JITTER: Final = 0.5
"""Waits are drawn from this share of the backoff up to the whole of it, so that workers do not retry in step."""
LARGEST_EXPONENT: Final = 60
"""Doubling further would overflow; the cap has been reached long before."""


@dataclass(frozen=True, slots=True)
class Policy:
    """How often and how far apart; seconds."""

    max_attempts: int
    backoff_initial: float
    backoff_max: float
    on_exhausted: Literal["hold", "dead_letter"]


@dataclass(frozen=True, slots=True)
class State:
    """One record's failures so far; times are seconds since the epoch."""

    failures: int = 0
    first_failure: float = 0.0
    last_failure: float = 0.0
    held: bool = False
    crashes: int = 0
    """How often its worker died with it in flight."""

    @property
    def attempts(self) -> int:
        """How often it was tried, deaths included."""
        return self.failures + self.crashes


@dataclass(frozen=True, slots=True)
class Again:
    """Try again after `seconds`. `newly_held`: the attempts have just run out and the record is held from now on."""

    seconds: float
    newly_held: bool = False


@dataclass(frozen=True, slots=True)
class GiveUp:
    """The attempts have run out: put the record aside."""


def failed(
    policy: Policy, state: State, *, now: float, after: float | None, rng: random.Random
) -> tuple[State, Again | GiveUp]:
    """Return what follows an attempt that failed at `now` (seconds since the epoch); `after` is a wait asked for."""
    known = counted(state, now)
    if known.failures < policy.max_attempts:
        return known, Again(backoff(policy, known.failures, rng) if after is None else after)
    if policy.on_exhausted == "dead_letter":
        return known, GiveUp()
    return replace(known, held=True), Again(policy.backoff_max if after is None else after, newly_held=not state.held)


def resumed(policy: Policy, state: State, *, now: float, rng: random.Random) -> tuple[State, float]:
    """Return what is known of a record that failed under an earlier owner, and the seconds until its next attempt."""
    held = policy.on_exhausted == "hold" and state.failures >= policy.max_attempts
    wait = policy.backoff_max if held else backoff(policy, state.failures, rng)
    return replace(state, held=held), min(wait, max(0.0, state.last_failure + wait - now))


def counted(state: State, now: float) -> State:
    """Return `state` after one more failure, at `now`."""
    first = state.first_failure if state.failures else now
    return replace(state, failures=state.failures + 1, first_failure=first, last_failure=now)


def backoff(policy: Policy, failures: int, rng: random.Random) -> float:
    """Return the wait after the `failures`th failure in a row, from 1: doubled each time, capped, with jitter."""
    whole = min(policy.backoff_max, policy.backoff_initial * 2.0 ** min(failures - 1, LARGEST_EXPONENT))
    return whole * rng.uniform(JITTER, 1.0)
