"""How many workers there should be, from what was observed of the group: a policy decides, `scaler.py` carries it out.

A policy is asked once per reading of the lag and remembers what it needs of the earlier ones; the same observations
give the same decisions. It never knows of an operator's pin: while there is one, nobody asks it.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Final, Protocol

from .calm import Calm
from .lag import Position, lag_of, total

READINGS: Final = 2
"""Good readings in a row that have to show a high lag: one may be a burst, or a commit that was late."""
CALM_SHARE: Final = 10
"""Lag below `lag_above` divided by this is low."""


@dataclass(frozen=True, slots=True)
class PartitionObservation:
    """One partition. `committed` None: no commit, the group starts at `log_start`; another None: it is not known.

    `owner` is the slot of the worker that has it; None: it is nobody's, or another host's.
    """

    topic: str
    partition: int
    committed: int | None
    end: int | None
    log_start: int | None
    owner: int | None = None


@dataclass(frozen=True, slots=True)
class WorkerObservation:
    """One slot: records finished and seconds inside the handler since the supervisor began, of all its processes.

    `age` is how many seconds its process is ready, `steady` whether that is long enough to judge it.
    """

    slot: int
    done_total: int
    busy_seconds_total: float
    age: float
    steady: bool


@dataclass(frozen=True, slots=True)
class Observation:
    """One reading: `now` in monotonic seconds; with `valid` false the offsets could not be read, whole or in part.

    `cap` is the most workers that can have work, which is the partitions of the subscription; `foreign` counts the
    members of the group that are not of this herd: they take their share of the partitions.
    """

    now: float
    partitions: tuple[PartitionObservation, ...]
    workers: tuple[WorkerObservation, ...]
    valid: bool
    cap: int
    foreign: int = 0


@dataclass(frozen=True, slots=True)
class Decision:
    """`wanted` workers, and why; equal reasons are equal texts."""

    wanted: int
    reason: str


class Policy(Protocol):
    """What decides."""

    def decide(self, observation: Observation) -> Decision:
        """Return how many workers there should be."""


def lag_in(partitions: Iterable[PartitionObservation]) -> int | None:
    """Return the total lag in records, None if that of any partition is unknown."""
    positions = (Position(one.topic, one.partition, one.committed, one.end, one.log_start) for one in partitions)
    return total(lag_of(position, "earliest") for position in positions)


@dataclass(frozen=True, slots=True)
class State:
    """What the policy remembers: `wanted` (None before the first decision), high readings in a row, and the calm."""

    wanted: int | None = None
    high: int = 0
    calm: Calm = field(default_factory=Calm)


class ThresholdPolicy:
    """`target` workers while the total lag is above `lag_above`, `min` again after it was low for `calm` seconds.

    The lag is high after READINGS good readings in a row above `lag_above`, and low below a tenth of it; in between
    nothing changes. A reading that is not `valid`, or in which any partition's lag is unknown, changes nothing. Never
    fewer than `min`, never more than `max`; above `min` never more than `cap`, nor growth beyond what `foreign` leaves.
    """

    def __init__(
        self,
        min: int,  # noqa: A002 - a key's name
        max: int,  # noqa: A002 - a key's name
        lag_above: int = 1_000_000,
        target: int | None = None,
        calm: float = 300.0,
        *,
        wanted: int | None = None,
    ) -> None:
        """Take the bounds; `target` is `max` unless given. There are `wanted` workers so far: as many as are observed.

        Raises:
            ValueError: the numbers contradict each other.
        """
        if not 0 <= min <= max:
            raise ValueError(f"min must be from 0 to max ({max}), got {min}")
        if target is not None and not min <= target <= max:
            raise ValueError(f"target must be from min ({min}) to max ({max}), got {target}")
        if lag_above < 1 or calm < 0:
            raise ValueError(f"lag_above must be at least 1 and calm at least 0, got {lag_above} and {calm}")
        self.min, self.max, self.lag_above, self.calm = min, max, lag_above, calm
        self.target = max if target is None else target
        self._state = State(wanted)

    def decide(self, observation: Observation) -> Decision:
        """Return how many workers there should be."""
        decision, self._state = self._step(self._state, observation)
        return decision

    def _step(self, state: State, seen: Observation) -> tuple[Decision, State]:
        current = len(seen.workers) if state.wanted is None else state.wanted
        current = max(self.min, min(self.max, current))
        lag = lag_in(seen.partitions) if seen.valid else None
        if lag is None:
            return Decision(current, "the lag is unknown"), State(current, calm=state.calm.interrupt())
        after = self._read(state, lag, seen.now)
        wanted, reason = self._judge(after, current)
        bounded = self._bounded(wanted, current, seen)
        if bounded < wanted:
            reason = f"{reason}; no partition for more"
        return Decision(bounded, reason), replace(after, wanted=bounded)

    def _bounded(self, wanted: int, current: int, seen: Observation) -> int:
        """Cut `wanted` to what can have work.

        Others' members only limit growth: two herds that shrank on sight of each other would do so again and again.
        """
        wanted = min(wanted, max(self.min, seen.cap))
        return max(current, min(wanted, seen.cap - seen.foreign)) if wanted > current else wanted

    def _read(self, state: State, lag: int, now: float) -> State:
        if lag > self.lag_above:
            return State(high=min(state.high + 1, READINGS))
        if lag * CALM_SHARE >= self.lag_above:
            return State()
        return State(calm=state.calm.read(now))

    def _judge(self, state: State, current: int) -> tuple[int, str]:
        if state.high >= READINGS:
            return max(current, self.target), f"the lag is above {self.lag_above}"
        if state.high:
            return current, f"the lag is above {self.lag_above}, at one reading so far"
        if state.calm.at is None:
            return current, f"the lag is not above {self.lag_above}, and not below a tenth of that"
        if state.calm.seconds >= self.calm:
            return self.min, f"the lag was below a tenth of {self.lag_above} for {self.calm:g} s"
        return current, f"the lag is below a tenth of {self.lag_above}, for less than {self.calm:g} s"
