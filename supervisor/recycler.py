"""Workers that have used up enough: looked for once a second, replaced one at a time, killed if they must be.

PSS is read of one worker at a time, and reading it takes at most a hundredth of our time: the kernel walks through all
pages of the process meanwhile.
"""

import random
from collections import Counter as Tally
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from ..worker import boardview, clock, events, log
from .decide import child as machine
from .decide import limits
from .decide.child import State
from .decide.limits import Doomed, Policy, Spared, Worn
from .nursery import Nursery
from .process.memory import pss_of, rss_of
from .slot import Slot

FINISHED: Final = ("handled", "skipped", "dead_lettered")
READING_SHARE: Final = 0.01
JUDGED: Final = frozenset({State.BOOTING, State.BARRIER, State.JOINING, State.READY, State.DRAINING})
"""States in which a worker may still grow; in the others it is being killed."""
RNG: Final = random.Random()


@dataclass(slots=True)
class Wear:
    """What one process of a slot has used up; `read_at` is when its PSS was read last, in monotonic seconds."""

    incarnation: int
    state: limits.State
    rss: int | None = None
    pss: int | None = None
    read_at: float = 0.0


@dataclass(slots=True)
class Recycler:
    """Looks at `slots`; `recycled` counts replacements by the limit that they were for."""

    nursery: Nursery
    slots: Mapping[int, Slot]
    policy: Policy = field(default_factory=Policy)
    recycled: Tally[str] = field(default_factory=Tally)
    read_rss: Callable[[int], int | None] = rss_of
    read_pss: Callable[[int], int | None] = pss_of
    _wear: dict[int, Wear] = field(default_factory=dict)
    _follows: dict[int, str] = field(default_factory=dict)
    """Slot -> the limit that its process is just being replaced for."""
    _read_again: float = 0.0
    _blind: bool = False

    def tick(self, now: float, *, may_replace: bool) -> None:
        """Judge every worker; nothing is replaced while the herd could not take it back."""
        if not self.policy.limiting:
            self._forget()
            return
        self._wear = {index: one for index, one in self._wear.items() if index in self.slots}
        there = {index: self._wear_of(slot) for index, slot in self.slots.items() if _is_judged(slot)}
        for index, process in there.items():
            self._look(process, self.slots[index].handle.pid)
        self._read_one(there, now)
        for index, process in there.items():
            slot = self.slots[index]
            process.state, verdict = limits.judge(self.policy, process.state, _facts(slot, process, self.policy, now))
            slot.worn = verdict if isinstance(verdict, Worn) and may_replace else None
            self._act(slot, process, verdict)

    def recycle(self, slot: Slot, until: float) -> None:
        """Have the worn process of `slot` finish by `until` and another one take its place."""
        worn, slot.worn = slot.worn, None
        assert worn is not None
        self.recycled[worn.limit] += 1
        self._follows[slot.index] = worn.limit
        log.emit(events.CHILD_RECYCLED, child=slot.handle.name, child_pid=slot.handle.pid, reason=worn.reason)
        self.nursery.feed(slot.handle, machine.Stop(until, wanted=True, reason=worn.reason))

    def memory(self, slot: Slot) -> dict[str, int | None]:
        """Return what its process uses, in bytes; PSS as last read, None if that was never asked for."""
        rss = None if slot.handle.pid is None else self.read_rss(slot.handle.pid)
        process = self._wear.get(slot.index)
        known = process is not None and process.incarnation == slot.handle.incarnation
        return {"rss": rss, "pss": process.pss if process is not None and known else None}

    def _forget(self) -> None:
        self._wear.clear()
        self._follows.clear()
        for slot in self.slots.values():
            slot.worn = None

    def _wear_of(self, slot: Slot) -> Wear:
        known = self._wear.get(slot.index)
        if known is None or known.incarnation != slot.handle.incarnation:
            state = limits.State(RNG.random(), follows=self._follows.pop(slot.index, None))
            known = self._wear[slot.index] = Wear(slot.handle.incarnation, state)
        return known

    def _look(self, process: Wear, pid: int | None) -> None:
        if self.policy.memory is None or pid is None:
            process.rss = None
            return
        process.rss = self.read_rss(pid)

    def _read_one(self, there: Mapping[int, Wear], now: float) -> None:
        """Read the PSS of the process that needs it and was read the longest ago."""
        most = self.policy.memory
        large = [one for one in there.items() if most is not None and one[1].rss is not None and one[1].rss > most]
        if not large or now < self._read_again:
            return
        index, process = min(large, key=lambda one: one[1].read_at)
        pid = self.slots[index].handle.pid
        assert pid is not None
        began = clock.monotonic()
        try:
            process.read_at, process.pss = now, self.read_pss(pid)
        except PermissionError as error:
            if not self._blind:
                self._blind = True
                log.emit(events.MEMORY_UNKNOWN, child=self.slots[index].handle.name, reason=str(error))
        self._read_again = now + (clock.monotonic() - began) / READING_SHARE

    def _act(self, slot: Slot, process: Wear, verdict: limits.Verdict | None) -> None:
        if isinstance(verdict, Doomed):
            assert slot.handle.process is not None
            slot.handle.process.memory = True
            self.nursery.feed(slot.handle, machine.Kill(verdict.reason, wanted=True))
        elif isinstance(verdict, Spared):
            log.emit(
                events.RECYCLE_FUTILE,
                child=slot.handle.name,
                reason=verdict.reason,
                baseline=limits.size(process.state.baseline or 0),
                seconds=limits.MEMORY_REST,
            )


def _is_judged(slot: Slot) -> bool:
    return slot.papers is not None and slot.handle.pid is not None and slot.handle.child.state in JUDGED


def _facts(slot: Slot, process: Wear, policy: Policy, now: float) -> limits.Facts:
    assert slot.papers is not None
    child, counters = slot.handle.child, boardview.counters_of(slot.papers.board)
    return limits.Facts(
        age=now - slot.papers.began,
        ready=now - child.since if child.state is State.READY else None,
        records=sum(counters[name] for name in FINISHED),
        memory=_memory(process, policy),
    )


def _memory(process: Wear, policy: Policy) -> int | None:
    """Return its PSS: at most what it was when read, or its RSS if that is less, or if that is enough to know."""
    if process.rss is None or policy.memory is None:
        return None
    if process.rss <= policy.memory:
        return process.rss
    return None if process.pss is None else min(process.pss, process.rss)
