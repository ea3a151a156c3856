"""The account of the demo: what became of every record, from what the broker and the workers wrote down. Pure."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any, Final

MILLISECOND: Final = 1_000_000
NAMED: Final = 5
"""Keys named in a problem; the rest are counted."""


@dataclass(frozen=True, slots=True)
class Handled:
    """One line of the ledger: a handler's call that finished, at `at` (monotonic nanoseconds), in process `pid`."""

    key: str
    partition: int
    offset: int
    pid: int
    at: int


@dataclass(frozen=True, slots=True)
class Kill:
    """A worker killed at `at` (monotonic nanoseconds), the partitions it had, and when all was well again."""

    at: int
    partitions: frozenset[int]
    until: int


@dataclass(frozen=True, slots=True)
class Stream:
    """What was sent: keys of good records, of poison, and how many were sent but never acknowledged."""

    good: frozenset[str]
    poison: frozenset[str]
    unacknowledged: int = 0


@dataclass(frozen=True, slots=True)
class Account:
    """The demo's result. `redelivered` counts deliveries beyond the first, of handled and of dead-lettered records."""

    produced: int
    handled: int
    dead_lettered: int
    lost: int
    redelivered: int
    crashes: int
    max_gap_ms: float
    problems: tuple[str, ...]

    @property
    def adds_up(self) -> bool:
        """Whether every record is where it belongs and nothing happened that was not meant to."""
        return not self.problems

    def document(self) -> dict[str, Any]:
        """Return the numbers, for the demo's last line."""
        numbers = asdict(self)
        del numbers["problems"]
        return numbers


def account(
    stream: Stream, handled: Sequence[Handled], dead: Sequence[str], kills: Sequence[Kill], crashes: int
) -> Account:
    """Return the account.

    `dead` holds the keys of the dead-letter topic in the order they were read; `crashes` are the deaths that the
    supervisor counted and nobody asked it for.
    """
    produced = stream.good | stream.poison
    done, put_aside = {one.key for one in handled}, set(dead)
    lost = produced - done - put_aside
    problems = [
        *_named("lost", lost),
        *_named("handled although poison", done & stream.poison),
        *_named("dead-lettered although good", put_aside & stream.good),
        *_named("delivered but never sent", (done | put_aside) - produced),
    ]
    if stream.unacknowledged:
        problems.append(f"{stream.unacknowledged} records were never acknowledged by the broker")
    if crashes != len(kills):
        problems.append(f"{crashes} workers died, {len(kills)} were killed")
    return Account(
        produced=len(produced),
        handled=len(done & produced),
        dead_lettered=len(put_aside & produced),
        lost=len(lost),
        redelivered=len(handled) - len(done) + len(dead) - len(put_aside),
        crashes=crashes,
        max_gap_ms=round(max((gap(handled, kill) for kill in kills), default=0) / MILLISECOND, 1),
        problems=tuple(problems),
    )


def gap(handled: Iterable[Handled], kill: Kill) -> int:
    """Return the longest silence, in nanoseconds, on the partitions that the killed worker had.

    That is the largest time between two consecutive handled records of one partition, among all such pairs that
    reach into the time from the kill until all was well again.
    """
    times: dict[int, list[int]] = defaultdict(list)
    for one in handled:
        if one.partition in kill.partitions:
            times[one.partition].append(one.at)
    return max(
        (
            after - before
            for seen in times.values()
            for before, after in pairwise(sorted(seen))
            if after > kill.at and before < kill.until
        ),
        default=0,
    )


def _named(what: str, keys: Collection[str]) -> list[str]:
    if not keys:
        return []
    shown = ", ".join(sorted(keys)[:NAMED])
    return [f"{len(keys)} records {what}: {shown}{', …' if len(keys) > NAMED else ''}"]
