"""Whether a worker is worn: over its own limits of memory, records or age; and whether it has to be killed for memory.

What is worn is replaced in order, one at a time (`reconcile`); memory_hard kills. The limits of one process are drawn
once, at or above the configured ones, so that nothing is replaced early and workers of one age do not go together.
Memory is PSS. It is never more than RSS, which costs a hundredth to read: who is below a limit by RSS needs no PSS.
"""

from dataclasses import dataclass, replace
from typing import Final

MEMORY_REST: Final = 300.0
"""Seconds ready before a process is replaced for memory where that has just been of no use: see `State`."""
RECORDS_REST: Final = 10.0
"""The same for records: with a limit of a second's work the slot would do nothing else."""
MEMORY_SOFT: Final = "memory_soft"
MEMORY_HARD: Final = "memory_hard"
MAX_RECORDS: Final = "max_records"
MAX_AGE: Final = "max_age"
REPLACING: Final = (MEMORY_SOFT, MAX_RECORDS, MAX_AGE)
"""Limits that have a worker replaced, the most urgent first."""


@dataclass(frozen=True, slots=True)
class Policy:
    """The configured limits: bytes, records, seconds; `jitter` is a share. None: no limit."""

    memory_soft: int | None = None
    memory_hard: int | None = None
    max_records: int | None = None
    max_age: float | None = None
    jitter: float = 0.1

    @property
    def limiting(self) -> bool:
        """Whether there is any limit."""
        return any(limit is not None for limit in (self.memory, self.max_records, self.max_age))

    @property
    def memory(self) -> int | None:
        """The lower one of the limits of memory."""
        return min((limit for limit in (self.memory_soft, self.memory_hard) if limit is not None), default=None)


@dataclass(frozen=True, slots=True)
class State:
    """What is remembered of one process.

    `draw`, from 0 to 1, is drawn when it starts. `follows` is the limit its slot's last process was replaced for: if
    this one is over it again at once, or was so when it had just become ready (`baseline`, bytes), another one will be
    too, so it is left alone for a while, and `told` says that this has been said.
    """

    draw: float
    follows: str | None = None
    baseline: int | None = None
    told: bool = False


@dataclass(frozen=True, slots=True)
class Facts:
    """A process now: seconds since it began and since it has been ready (None: it is not), records it has finished.

    `memory` is its PSS, or its RSS as long as that is below every limit; None: not known.
    """

    age: float
    ready: float | None = None
    records: int = 0
    memory: int | None = None


@dataclass(frozen=True, slots=True)
class Worn:
    """It is to be replaced when that is possible; a higher `urgency` (above 0) goes first."""

    limit: str
    reason: str
    urgency: float


@dataclass(frozen=True, slots=True)
class Doomed:
    """It is to be killed."""

    reason: str


@dataclass(frozen=True, slots=True)
class Spared:
    """It is over a limit again so soon that replacing it would not help; said once."""

    limit: str
    reason: str


Verdict = Worn | Doomed | Spared


def soft_limit(policy: Policy, draw: float) -> float | None:
    """Return one process' memory_soft, which keeps half of the way to memory_hard to be replaced in."""
    if policy.memory_soft is None:
        return None
    drawn = policy.memory_soft * (1 + policy.jitter * draw)
    return drawn if policy.memory_hard is None else min(drawn, (policy.memory_soft + policy.memory_hard) / 2)


def judge(policy: Policy, state: State, facts: Facts) -> tuple[State, Verdict | None]:
    """Return what is remembered of a process from now on, and what is to be done with it, if anything."""
    if policy.memory_hard is not None and facts.memory is not None and facts.memory > policy.memory_hard:
        return state, Doomed(f"{MEMORY_HARD}: {size(facts.memory)} PSS over {size(policy.memory_hard)}")
    if facts.ready is None:
        return state, None
    if state.baseline is None:
        state = replace(state, baseline=facts.memory)
    found = [worn for worn in _worn(policy, state, facts) if not _resting(policy, state, facts.ready, worn)]
    if found:
        return state, found[0]
    futile = next((worn for worn in _worn(policy, state, facts) if worn.limit == MEMORY_SOFT), None)
    if futile is None or state.told:
        return state, None
    return replace(state, told=True), Spared(MEMORY_SOFT, futile.reason)


def _worn(policy: Policy, state: State, facts: Facts) -> list[Worn]:
    """Return the limits that are exceeded, the most urgent first."""
    stretch = 1 + policy.jitter * state.draw
    memory, age = soft_limit(policy, state.draw), policy.max_age
    found = []
    if memory is not None and facts.memory is not None and facts.memory > memory:
        found.append(_over(MEMORY_SOFT, facts.memory, memory, f"{size(facts.memory)} PSS over {size(memory)}"))
    if policy.max_records is not None and facts.records >= (limit := policy.max_records * stretch):
        found.append(_over(MAX_RECORDS, facts.records, limit, f"{facts.records} records, at {limit:.0f}"))
    if age is not None and facts.age >= (limit := age * stretch):
        found.append(_over(MAX_AGE, facts.age, limit, f"{facts.age:.0f} s old, at {limit:.0f} s"))
    return found


def _over(limit: str, value: float, most: float, words: str) -> Worn:
    """Return by how much `value` exceeds `most`: the kind of the limit counts first, then the share of it."""
    rank = len(REPLACING) - REPLACING.index(limit)
    return Worn(limit, f"{limit}: {words}", rank + 1 - most / value)


def _resting(policy: Policy, state: State, ready: float, worn: Worn) -> bool:
    """Whether replacing it would be of no use yet."""
    if worn.limit == MEMORY_SOFT:
        limit = soft_limit(policy, state.draw)
        born_over = limit is not None and state.baseline is not None and state.baseline > limit
        return (born_over or state.follows == MEMORY_SOFT) and ready < MEMORY_REST
    return worn.limit == MAX_RECORDS and state.follows == MAX_RECORDS and ready < RECORDS_REST


def size(amount: float) -> str:
    """Return bytes in the words of a person: "1.2 GiB"."""
    unit, name = (2**30, "GiB") if amount >= 2**30 else (2**20, "MiB")
    return f"{round(amount / unit, 2):g} {name}"
