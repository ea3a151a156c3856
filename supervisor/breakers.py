"""The host's circuit breakers as the supervisor has them: it makes their table, and frees what dead workers held.

It never waits for a lock: what is not to be had now is tried again at the next tick.
"""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from ..worker import clock, events, log
from ..worker.breakertable import FILE, Table
from ..worker.decide import breaker as decide
from ..worker.decide.breaker import Breaker, Event, Failed, Holder, Lost, Policy, State

SHOWN: Final = 3
"""Decimals of seconds."""


class Breakers:
    """The table in the state folder; without one every worker has breakers of its own."""

    def __init__(self, folder: Path) -> None:
        """Go on with the table that is there: what was open stays open, but nobody is there who could probe."""
        self._path = folder / FILE
        self._owed: dict[tuple[str, int], tuple[int, str, bool]] = {}
        """Probes that are lost but not freed yet, by the breaker's name and their number: pid, cause, hung."""
        self._table = self._open()
        self._trips_before: Mapping[str, int] = {name: known.trips for name, known in self._known()}
        self._open_before: Mapping[str, float] = {name: known.open_seconds for name, known in self._known()}
        for name, known in self._known():
            if known.state is State.HALF_OPEN:
                self._owed[name, known.serial] = (known.holder.pid, "the supervisor before this one ended", False)
        self.tick()

    def descriptor(self) -> tuple[int, ...]:
        """Return a descriptor of the table for one worker, the receiver's to close; none if there is no table.

        Raises:
            OSError: there are too many.
        """
        return () if self._table is None else (os.dup(self._table.fd),)

    def buried(self, pid: int | None, cause: str, *, hung: bool) -> None:
        """Free the probe that worker `pid` had; one that `hung` has failed."""
        for name, known in self._known():
            if pid is not None and known.state is State.HALF_OPEN and known.holder.pid == pid:
                self._owed[name, known.serial] = (pid, cause, hung)
        self.tick()

    def tick(self) -> None:
        """Try again to free what could not be freed."""
        for (name, probe), (pid, cause, hung) in list(self._owed.items()):
            event: Event = Failed(probe) if hung else Lost(Holder(pid, 0))
            if self._happen(name, probe, event):
                del self._owed[name, probe]
                log.emit(events.PROBE_LOST, breaker=name, worker_pid=pid, cause=cause)

    def document(self) -> list[dict[str, Any]]:
        """Return the `breakers` part of the status document, by name; counts are since this supervisor started."""
        now = clock.monotonic()
        return [self._row(name, known, now) for name, known in sorted(self._known())]

    def problems(self) -> list[str]:
        """Return a sentence for each breaker that is not closed."""
        now = clock.monotonic()
        return [
            f"the circuit breaker {name} is {_state(known)} since {decide.open_for(known, now):.0f} s:"
            " records that need it wait"
            for name, known in sorted(self._known())
            if known.state is not State.CLOSED
        ]

    def _row(self, name: str, known: Breaker, now: float) -> dict[str, Any]:
        since, probed = decide.open_for(known, now), known.state is State.HALF_OPEN
        return {
            "name": name,
            "state": _state(known),
            "failures": known.failures,
            "trips": max(0, known.trips - self._trips_before.get(name, 0)),
            "open_for": round(since, SHOWN),
            "open_seconds": round(max(0.0, known.open_seconds + since - self._open_before.get(name, 0.0)), SHOWN),
            "probed_in": round(decide.after(known, now), SHOWN),
            "probe_pid": known.holder.pid if probed else None,
        }

    def _known(self) -> Iterator[tuple[str, Breaker]]:
        for name, slot in self._table.named() if self._table is not None else ():
            known = slot.load()
            if known is not None:
                yield name, known

    def _happen(self, name: str, probe: int, event: Event) -> bool:
        """Let `event` happen to a probe; return False if its lock is somebody else's just now."""
        slot = self._table.find(name) if self._table is not None else None
        if slot is None:
            return True
        if not slot.lock():
            return False
        try:
            known = slot.load()
            if known is not None and known.state is State.HALF_OPEN and known.serial == probe:
                slot.store(decide.step(known, event, clock.monotonic(), Policy(1, known.timeout)))
        finally:
            slot.unlock()
        return True

    def _open(self) -> Table | None:
        try:
            return self._kept() or Table.create(self._path)
        except OSError as error:
            log.emit(events.BREAKERS_UNSHARED, path=str(self._path), reason=error.strerror or str(error))
            return None

    def _kept(self) -> Table | None:
        """Return the table that is there, None if there is none that can be used."""
        try:
            table = Table.open(self._path)
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            log.emit(events.BREAKERS_RENEWED, path=str(self._path), reason=str(error))
            return None
        problem = table.problem()
        if problem is None and table.of_this_boot:
            return table
        table.close()
        if problem is not None:
            log.emit(events.BREAKERS_RENEWED, path=str(self._path), reason=problem)
        return None


def _state(known: Breaker) -> str:
    return known.state.name.lower()
