"""Autoscaling at work: observes the herd when the lag was read, asks the policy, and keeps what it decided and why."""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from ..worker import boardview, clock, events, log
from .config.schema import Settings
from .decide.autoscale import Decision, Observation, PartitionObservation, ThresholdPolicy, WorkerObservation, lag_in
from .decide.child import State
from .decide.lag import Position
from .decide.restart import STEADY_SECONDS
from .halts import Halts
from .herd import Herd
from .observed import Observed
from .slot import Slot

REMEMBERED: Final = 100
DONE: Final = ("handled", "skipped", "dead_lettered")
"""Counters of records that are finished."""


@dataclass(slots=True)
class Entry:
    """Readings in a row with the same outcome: times in seconds since the epoch, the inputs those of the first one."""

    decision: Decision
    before: int
    lag: int | None
    partitions: int
    foreign: int
    at: float
    until: float
    readings: int = 1

    def document(self) -> dict[str, Any]:
        """Return it for the status document."""
        return {
            "at": clock.iso(self.at),
            "until": clock.iso(self.until),
            "readings": self.readings,
            "before": self.before,
            "wanted": self.decision.wanted,
            "reason": self.decision.reason,
            "lag": self.lag,
            "partitions": self.partitions,
            "foreign": self.foreign,
        }


class Scaler:
    """Whether and how the number of workers follows the lag; off until `begin` is given settings that want it."""

    def __init__(self) -> None:
        self._settings: Settings | None = None
        self._policy: ThresholdPolicy | None = None
        self._current = 0
        self._entries: deque[Entry] = deque(maxlen=REMEMBERED)

    def begin(self, settings: Settings, count: int) -> None:
        """Decide by `settings` from the next reading on, starting with `count` workers."""
        scale = settings.autoscale
        self._settings, self._policy = settings, None
        if scale.max is not None:
            self._current = max(settings.fewest, min(scale.max, count))
            self._policy = ThresholdPolicy(
                settings.fewest, scale.max, scale.lag_above, scale.target, scale.calm, wanted=self._current
            )

    @property
    def acts(self) -> bool:
        """Whether the number of workers follows."""
        return self._policy is not None and self._settings is not None and not self._settings.autoscale.dry_run

    @property
    def wanted(self) -> int | None:
        """How many workers there should be; None: that is not decided here."""
        return self._current if self.acts else None

    def consider(self, herd: Herd, observed: Observed, halts: Halts) -> None:
        """Take in a new reading of the lag and decide."""
        if self._policy is None:
            return
        observation = observe(herd, observed, halts, clock.monotonic())
        decision = self._policy.decide(observation)
        if observed.valid and not observation.valid:
            decision = replace(decision, reason="everything is paused by an operator")
        self._note(observation, decision)
        self._current = decision.wanted

    def _note(self, seen: Observation, decision: Decision) -> None:
        now, last = clock.wall(), self._entries[-1] if self._entries else None
        if last is not None and last.decision == decision and self._current == decision.wanted:
            last.until, last.readings = now, last.readings + 1
            return
        lag = lag_in(seen.partitions) if seen.valid else None
        entry = Entry(decision, self._current, lag, seen.cap, seen.foreign, now, now)
        self._entries.append(entry)
        log.emit(
            events.AUTOSCALE_HOLDS if decision.wanted == self._current else events.AUTOSCALED,
            before=self._current, after=decision.wanted, reason=decision.reason,
            lag="unknown" if lag is None else lag, partitions=seen.cap, foreign=seen.foreign,
            dry_run="" if self.acts else " (dry run)",
        )  # fmt: skip

    def document(self) -> dict[str, Any] | None:
        """Return the `autoscale` part of the status document: None while it is off."""
        if self._policy is None or self._settings is None:
            return None
        policy = self._policy
        return {
            "policy": self._settings.autoscale.policy,
            "min": policy.min,
            "max": policy.max,
            "target": policy.target,
            "lag_above": policy.lag_above,
            "calm": policy.calm,
            "dry_run": not self.acts,
            "wanted": self._current,
            "decisions": [entry.document() for entry in self._entries],
        }


def observe(herd: Herd, observed: Observed, halts: Halts, now: float) -> Observation:
    """Return what a policy is shown of the newest reading; `now` in monotonic seconds.

    More workers cannot help with a lag that is to be left alone, and it is no calm either: paused partitions are left
    out, and a reading with nothing else in it is not valid. They count for `cap`: the group assigns them all the same.
    """
    live = [slot for slot in herd.slots.values() if slot.handle.child.wanted]
    boards = [slot.papers.board for slot in herd.slots.values() if slot.papers]
    # Whom nobody could count cannot be taken into account, be it nobody or a hundred.
    others = (observed.members or frozenset()) - {boardview.member_id_of(board) for board in boards}
    owners = {place: slot.index for slot in live for place in _held(slot)}
    read = observed.lag.partitions
    partitions = tuple(
        _partition(position, lag, owners)
        for position, lag in read
        if not halts.halted.covers((position.topic, position.partition))
    )
    return Observation(
        now=now,
        partitions=partitions if observed.valid else (),
        workers=tuple(_worker(slot, now) for slot in live),
        valid=observed.valid and (bool(partitions) or not read),
        cap=len(read),
        foreign=len(others),
    )


def _held(slot: Slot) -> list[tuple[str, int]]:
    views = boardview.partitions_of(slot.papers.board) if slot.papers else []
    return [(view.topic, view.partition) for view in views]


def _partition(position: Position, lag: int | None, owners: Mapping[tuple[str, int], int]) -> PartitionObservation:
    committed, end = position.committed, position.end if lag is not None else None
    if committed is None and end is not None and lag is not None:
        committed = end - lag  # what the group would not read at all is as good as done
    owner = owners.get((position.topic, position.partition))
    return PartitionObservation(position.topic, position.partition, committed, end, position.log_start, owner)


def _worker(slot: Slot, now: float) -> WorkerObservation:
    counters, ready_at = slot.counters(), slot.handle.ready_at
    age = 0.0 if ready_at is None else now - ready_at
    return WorkerObservation(
        slot=slot.index,
        done_total=sum(counters.get(name, 0) for name in DONE),
        busy_seconds_total=counters.get("busy_ns", 0) / clock.NANOSECONDS,
        age=age,
        steady=slot.handle.child.state is State.READY and age >= STEADY_SECONDS,
    )
