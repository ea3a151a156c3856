"""Which partitions are to be paused: all of them above the bounds or on command, else those that wait for a retry."""

from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Final

Key = tuple[str, int]

SPARE: Final = 2.0
"""Times a bound up to which a partition with nothing in flight goes on."""

RELEASE: Final = 0.5
"""Share of a bound under which the pause ends: a pause drops the prefetched records, so it must not flap."""


@dataclass(frozen=True, slots=True)
class Policy:
    """How much may be in flight: received and not finished."""

    max_records: int
    max_bytes: int


def pressed(policy: Policy, before: bool, *, records: int, size: int) -> bool:
    """Return whether everything is to be paused, given what is in flight and whether it was paused `before`."""
    share = RELEASE if before else 1.0
    return records > policy.max_records * share or size > policy.max_bytes * share


def spares(policy: Policy, *, records: int, size: int) -> bool:
    """Return whether a partition with nothing in flight may go on although everything is to be paused.

    Only where calls run beside each other: what is in flight may be that of one slow key, which the others need not
    wait for.
    """
    return records <= policy.max_records * SPARE and size <= policy.max_bytes * SPARE


@dataclass(frozen=True, slots=True)
class Change:
    """What to tell the client, in this order."""

    pause: frozenset[Key]
    resume: frozenset[Key]


def reconcile(
    *, owned: AbstractSet[Key], wanted: AbstractSet[Key], applied: AbstractSet[Key], fresh: AbstractSet[Key]
) -> Change:
    """Return how to get from the `applied` pauses to the `wanted` ones, of owned partitions only.

    A pause outlives a revocation inside the client, or it does not; so for a `fresh` assignment it is said again
    whatever is believed to be applied.
    """
    return Change(
        pause=frozenset(key for key in wanted & owned if key not in applied or key in fresh),
        resume=frozenset(key for key in applied & owned if key not in wanted),
    )
