"""One circuit breaker as this process has it: what happens to it is written to its slot, under two locks, and told.

Nothing waits for a lock longer than PATIENCE, and whoever does not get it errs on the safe side: a call that would be
the probe is refused, a failure is not counted, a lease runs out. A breaker of which nothing is known yet is closed.
"""

import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Final, Protocol, TypeVar

from . import clock, events, log
from .breakerslot import Slot
from .decide import breaker as decide
from .decide.breaker import OWN, Abandoned, Asked, Breaker, Event, Failed, Holder, Policy, State, Succeeded, Tripped

PATIENCE: Final = 0.05
"""Seconds to wait for a lock, which is held for microseconds unless its owner is stopped."""
GLANCE: Final = 0.0002
"""Seconds between two tries at it."""
_UNBOUND: Final = memoryview(b"\1")
T = TypeVar("T")


class Owner(Protocol):
    """What a cell needs of all of them."""

    lease: float

    @property
    def holder(self) -> Holder:
        """Who a lease of this process belongs to."""

    def bind(self, name: str) -> Slot | None:
        """Return the slot of `name`; None: not now."""

    def lose(self, error: OSError) -> None:
        """The table's descriptor is gone."""


class Cell:
    """`hot[0]` is 0 while a call may just go ahead, and its success has nothing to reset.

    `given` is what the code says of it, `policy` what is in force.
    """

    def __init__(self, owner: Owner, name: str, given: Policy, policy: Policy) -> None:
        self._owner = owner
        self.name = name
        self.given = given
        self.policy = policy
        self.differed = False
        """Whether it has been said that it was given other parameters later."""
        self.unbind()

    def unbind(self, *, keep: bool = False) -> None:
        """Be bound anew at the next use; with `keep` go on from what is known, by itself."""
        known = getattr(self, "_slot", None)
        self._mutex = threading.Lock()  # in a fork, the one before may be held by a thread that it does not have
        self._slot: Slot | None = known.copy() if keep and known is not None else None
        self.hot = _UNBOUND if self._slot is None else self._slot.hot

    def state(self) -> State:
        """Return the state."""
        return self._load().state

    def may_try(self, late: float = 0.0) -> bool:
        """Return whether a call that asks now would be let through, and as the probe `late` seconds ago already."""
        return decide.may_try(self._load(), clock.monotonic() - late)

    def after(self) -> float:
        """Return the seconds until a call may be let through, as far as they are known."""
        return decide.after(self._load(), clock.monotonic())

    def holds(self, probe: int) -> bool:
        """Return whether that probe is under way."""
        known = self._load()
        return known.state is State.HALF_OPEN and known.serial == probe

    def ask(self) -> tuple[bool, int | None]:
        """Return whether a call is let through, and its number if it is the probe: to be given back with its end."""
        known = self._load()
        if known.state is State.CLOSED or not decide.may_try(known, clock.monotonic()):
            return known.state is State.CLOSED, None  # nothing is to be written, so nobody's lock is in the way
        moved = self._happen(Asked(self._owner.holder, self._owner.lease))
        if moved is None:
            return False, None
        before, after = moved
        if after.state is State.CLOSED:
            return True, None
        return (True, after.serial) if after is not before else (False, None)

    def take_probe(self) -> int | None:
        """Return the number of the probe if this call is to be it, which `ask` tells apart from needing none."""
        return self.ask()[1]

    def succeeded(self, probe: int | None = None) -> None:
        """A call was answered."""
        self._happen(Succeeded(probe))

    def failed(self, probe: int | None = None, reason: object = None, timeout: float | None = None) -> State:
        """A call failed in a way that counts; return the state after it.

        What that opens is open for `timeout` seconds instead of the usual ones.
        """
        moved = self._happen(Failed(probe), reason, timeout)
        return self.state() if moved is None else moved[1].state

    def abandoned(self, probe: int) -> None:
        """The probe ended in a way that says nothing: the next one who asks is the probe."""
        self._happen(Abandoned(probe))

    def trip(self, reason: object = None, timeout: float | None = None) -> None:
        """Open it, whatever was counted."""
        self._happen(Tripped(), reason, timeout)

    def _load(self) -> Breaker:
        slot = self._slot
        if slot is None or self._given_away(slot):
            slot = self._guarded(self._bound)
        return Breaker() if slot is None else slot.load() or Breaker()

    def _happen(
        self, event: Event, reason: object = None, timeout: float | None = None
    ) -> tuple[Breaker, Breaker] | None:
        """Let `event` happen; return the breaker before and after it, None if the lock was not to be had."""
        policy = self.policy if timeout is None else replace(self.policy, timeout=timeout)
        moved = self._guarded(lambda: self._move(event, policy))
        if moved is not None:
            _tell(self.name, moved, event, reason, policy)
        return moved

    def _guarded(self, do: Callable[[], T | None]) -> T | None:
        """Return what `do` returns, done by one thread at a time; None if it is not this one's turn in time."""
        if not self._mutex.acquire(timeout=PATIENCE):
            return None
        try:
            return do()
        finally:
            self._mutex.release()

    def _move(self, event: Event, policy: Policy) -> tuple[Breaker, Breaker] | None:
        slot = self._locked()
        if slot is None:
            return None
        try:
            before = slot.load() or Breaker()
            after = decide.step(before, event, clock.monotonic(), policy)
            # Whoever was killed while it wrote may have left a breaker that is quiet and says that it is not.
            if after is not before or (after.quiet and slot.hot[0]):
                slot.store(after)
        finally:
            slot.unlock()
        return before, after

    def _locked(self) -> Slot | None:
        slot = self._bound()
        if slot is None:
            return None
        try:
            return slot if _patiently(slot.lock) else None
        except OSError as error:
            self._owner.lose(error)
            self._slot = alone = slot.copy()
            self.hot = alone.hot
            return alone

    def _bound(self) -> Slot | None:
        if self._slot is None or self._given_away(self._slot):
            self._slot = None
            _patiently(self._bind)
            self.hot = _UNBOUND if self._slot is None else self._slot.hot
        return self._slot

    def _bind(self) -> bool:
        self._slot = self._owner.bind(self.name)
        return self._slot is not None

    def _given_away(self, slot: Slot) -> bool:
        return slot.shared and self.name.startswith(OWN) and slot.name != self.name


def _patiently(take: Callable[[], bool]) -> bool:
    deadline = clock.monotonic() + PATIENCE
    while not take():
        if clock.monotonic() >= deadline:
            return False
        clock.sleep(GLANCE)
    return True


def _tell(name: str, moved: tuple[Breaker, Breaker], event: Event, reason: object, policy: Policy) -> None:
    before, after = moved
    if after.serial == before.serial or isinstance(event, Abandoned):
        return
    shut = decide.open_for(before, clock.monotonic())
    if after.state is State.HALF_OPEN:
        log.emit(events.BREAKER_HALF_OPEN, breaker=name, seconds=shut)
    elif after.state is State.CLOSED:
        log.emit(events.BREAKER_CLOSED, breaker=name, seconds=shut)
    else:
        why = {Failed: "the probe failed", Tripped: "an outage"}[type(event)]
        if before.state is State.CLOSED and isinstance(event, Failed):
            why = f"{policy.failure_threshold} failures in a row" if policy.failure_threshold > 1 else "a failure"
        said = why if reason is None else f"{why}: {_words(reason)}"
        log.emit(events.BREAKER_OPENED, breaker=name, seconds=policy.timeout, reason=said)


def _words(reason: object) -> str:
    return f"{type(reason).__name__}: {reason}" if isinstance(reason, BaseException) else str(reason)
