"""STATE MACHINE of one circuit breaker, which all processes of a host share.

    CLOSED -- failures in a row --> OPEN -- asked after the timeout --> HALF_OPEN -- the probe succeeds --> CLOSED
                                     ^                                      |
                                     +---- the probe fails, or is lost -----+

HALF_OPEN means that one call, the probe, is under way: whoever has the lease. What other calls come to is ignored then,
for they may have begun long ago. Nothing ticks: time is looked at when a call asks. Every pair is in TRANSITIONS.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import IntEnum
from typing import Final

OWN: Final = "~"
"""What the names of kherd's own breakers begin with."""
LONGEST_LEASE: Final = 86_400.0
"""Seconds: a lease that is said to last longer was written by another clock."""
SLACK: Final = 1.0
"""Seconds by which an end that lies further ahead than the timeout may be one's own, looked at from a little earlier."""


class State(IntEnum):
    """Where a breaker is; the numbers are those in shared memory."""

    CLOSED = 0
    OPEN = 1
    HALF_OPEN = 2


@dataclass(frozen=True, slots=True)
class Policy:
    """So many failures in a row open it, for `timeout` seconds."""

    failure_threshold: int = 5
    timeout: float = 60.0

    def __str__(self) -> str:
        return f"failure_threshold {self.failure_threshold} and timeout {self.timeout:g} s"


@dataclass(frozen=True, slots=True)
class Holder:
    """A process: its pid, and when it started in the kernel's own unit, which tells it from a later one of that pid."""

    pid: int
    started: int


NOBODY: Final = Holder(0, 0)


@dataclass(frozen=True, slots=True)
class Breaker:
    """What is known of a breaker. Times are monotonic seconds."""

    state: State = State.CLOSED
    serial: int = 0
    """Changes with the state and with the lease; that of a HALF_OPEN is its probe's number."""
    failures: int = 0
    """In a row, while it is closed."""
    since: float = 0.0
    """When it was closed for the last time, unless it is."""
    until: float = 0.0
    """When it may be probed, while it is open; when the lease ends, while it is half open."""
    timeout: float = 0.0
    """Seconds for which it was opened last."""
    holder: Holder = NOBODY
    """Who has the lease, while it is half open."""
    trips: int = 0
    """How often it has left CLOSED."""
    open_seconds: float = 0.0
    """Seconds in all for which it was not closed, up to when it was closed again."""

    @property
    def quiet(self) -> bool:
        """Whether calls may just go ahead, and a success has nothing to change."""
        return self.state is State.CLOSED and not self.failures


@dataclass(frozen=True, slots=True)
class Asked:
    """A call of `holder` wants through; if it is to be the probe, for `lease` seconds at most."""

    holder: Holder
    lease: float


@dataclass(frozen=True, slots=True)
class Succeeded:
    """A call was answered; `probe` is the number it was let through under, None if it was not a probe."""

    probe: int | None = None


@dataclass(frozen=True, slots=True)
class Failed:
    """A call failed in a way that counts."""

    probe: int | None = None


@dataclass(frozen=True, slots=True)
class Abandoned:
    """A call ended in a way that says nothing of what is behind the breaker."""

    probe: int | None = None


@dataclass(frozen=True, slots=True)
class Lost:
    """The process `holder` is gone; with a `started` of 0 whichever had that pid."""

    holder: Holder


@dataclass(frozen=True, slots=True)
class Tripped:
    """Somebody knows without a count that it has to be open."""


Event = Asked | Succeeded | Failed | Abandoned | Lost | Tripped
EVENTS: Final = (Asked, Succeeded, Failed, Abandoned, Lost, Tripped)


@dataclass(frozen=True, slots=True)
class Move:
    """One cell of the table: the states it may lead to, and how."""

    to: tuple[State, ...]
    by: Callable[[Breaker, Event, float, Policy], Breaker]


def may_try(breaker: Breaker, now: float) -> bool:
    """Return whether a call that asks at `now` would be let through."""
    match breaker.state:
        case State.CLOSED:
            return True
        case State.OPEN:
            return not now < breaker.until <= now + breaker.timeout + SLACK
        case State.HALF_OPEN:
            return not now < breaker.until <= now + LONGEST_LEASE


def after(breaker: Breaker, now: float) -> float:
    """Return the seconds until a call may be let through, as far as they are known; 0 while a probe is under way."""
    return breaker.until - now if breaker.state is State.OPEN and not may_try(breaker, now) else 0.0


def open_for(breaker: Breaker, now: float) -> float:
    """Return the seconds for which it has not been closed; 0 if it is."""
    return 0.0 if breaker.state is State.CLOSED else max(0.0, now - breaker.since)


def _probe(breaker: Breaker, event: Event, now: float, _: Policy) -> Breaker:
    """Let a call through as the probe, if it is time."""
    assert isinstance(event, Asked)
    if not may_try(breaker, now):
        return breaker
    lease = min(event.lease, LONGEST_LEASE)
    probed = replace(breaker, state=State.HALF_OPEN, serial=breaker.serial + 1)
    return replace(probed, until=now + lease, holder=event.holder)


def _forget(breaker: Breaker, _: Event, __: float, ___: Policy) -> Breaker:
    return replace(breaker, failures=0) if breaker.failures else breaker


def _count(breaker: Breaker, event: Event, now: float, policy: Policy) -> Breaker:
    """Count it; not what a probe comes to after it had lost its lease and another one has closed the breaker."""
    assert isinstance(event, Failed)
    if event.probe is not None:
        return breaker
    failures = breaker.failures + 1
    if failures < policy.failure_threshold:
        return replace(breaker, failures=failures)
    return _trip(breaker, event, now, policy)


def _trip(breaker: Breaker, _: Event, now: float, policy: Policy) -> Breaker:
    tripped = replace(breaker, failures=0, since=now, trips=breaker.trips + 1)
    return _open(tripped, now, policy.timeout)


def _close(breaker: Breaker, event: Event, now: float, _: Policy) -> Breaker:
    assert isinstance(event, Succeeded)
    if event.probe != breaker.serial:
        return breaker
    closed = replace(breaker, state=State.CLOSED, serial=breaker.serial + 1, holder=NOBODY, failures=0)
    return replace(closed, until=0.0, open_seconds=breaker.open_seconds + open_for(breaker, now))


def _reopen(breaker: Breaker, event: Event, now: float, policy: Policy) -> Breaker:
    assert isinstance(event, Failed)
    return _open(breaker, now, policy.timeout) if event.probe == breaker.serial else breaker


def _give_back(breaker: Breaker, event: Event, now: float, _: Policy) -> Breaker:
    """The lease is free again: the next one who asks is the probe."""
    assert isinstance(event, Abandoned)
    return _release(breaker, now) if event.probe == breaker.serial else breaker


def _lose(breaker: Breaker, event: Event, now: float, _: Policy) -> Breaker:
    assert isinstance(event, Lost)
    gone, held = event.holder, breaker.holder
    its = gone == held or (gone.started == 0 and gone.pid == held.pid)
    return _release(breaker, now) if its else breaker


def _release(breaker: Breaker, now: float) -> Breaker:
    return replace(breaker, state=State.OPEN, serial=breaker.serial + 1, until=now, holder=NOBODY)


def _open(breaker: Breaker, now: float, timeout: float) -> Breaker:
    opened = replace(breaker, state=State.OPEN, serial=breaker.serial + 1, holder=NOBODY)
    return replace(opened, until=now + timeout, timeout=timeout)


IGNORE: Final = "ignore"
Cell = Move | str

# fmt: off
_ROWS: Final[dict[State, tuple[Cell, ...]]] = {
    #                 Asked                                              Succeeded                                        Failed                                        Abandoned                                           Lost                                      Tripped
    State.CLOSED:    (IGNORE,                                            Move((State.CLOSED,), _forget),                  Move((State.CLOSED, State.OPEN), _count),     IGNORE,                                             IGNORE,                                   Move((State.OPEN,), _trip)),
    State.OPEN:      (Move((State.OPEN, State.HALF_OPEN), _probe),       IGNORE,                                          IGNORE,                                       IGNORE,                                             IGNORE,                                   IGNORE),
    State.HALF_OPEN: (Move((State.HALF_OPEN,), _probe),                  Move((State.HALF_OPEN, State.CLOSED), _close),   Move((State.HALF_OPEN, State.OPEN), _reopen), Move((State.HALF_OPEN, State.OPEN), _give_back),    Move((State.HALF_OPEN, State.OPEN), _lose), IGNORE),
}
# fmt: on
TRANSITIONS: Final[dict[tuple[State, type[Event]], Cell]] = {
    (state, event): cell for state, row in _ROWS.items() for event, cell in zip(EVENTS, row, strict=True)
}


def step(breaker: Breaker, event: Event, now: float, policy: Policy) -> Breaker:
    """Return the breaker after `event`; the same object if nothing has changed."""
    cell = TRANSITIONS[(breaker.state, type(event))]
    return cell.by(breaker, event, now, policy) if isinstance(cell, Move) else breaker
