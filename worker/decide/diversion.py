"""Putting records aside has to be earned: a token bucket that successes fill and dead letters empty.

A bug in one record is followed by successes, an outage is not: so an outage can put aside no more than what was saved
up, however long it lasts. Only counts come in, no clock: a herd that stands still earns nothing by waiting.
"""

from dataclasses import dataclass, replace
from typing import Final

COST: Final = 50
"""Successes that one diversion costs: 2 %, what uForwarder asks for (its resilience queue aside)."""


@dataclass(frozen=True, slots=True)
class Policy:
    """What a diversion costs, in successes, and how many a bucket starts with and may hold."""

    cost: int = COST
    start: int = 10
    most: int = 100


@dataclass(frozen=True, slots=True)
class State:
    """What is left, in successes; never negative."""

    tokens: int


def fresh(policy: Policy) -> State:
    """Return the bucket of a beginning: enough for the first few, before there were any successes."""
    return State(min(policy.start, policy.most) * policy.cost)


def earn(policy: Policy, state: State, successes: int) -> State:
    """Return the bucket after `successes` more records that were handled."""
    return replace(state, tokens=min(policy.most * policy.cost, state.tokens + successes))


def spend(policy: Policy, state: State) -> State | None:
    """Return the bucket after one more diversion; None if there is not enough for it."""
    left = state.tokens - policy.cost
    return None if left < 0 else replace(state, tokens=left)
