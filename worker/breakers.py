"""The circuit breakers of this process by name: each bound to its place in the host's table, or this process' own.

They may be made before there is a table (at import, in the mold): who has a `Cell` has it for good, and it is bound at
its next use. A fork that a handler makes goes on from what was known then, by itself.
"""

import os
import threading
from collections.abc import Iterable, Mapping
from typing import Final

from . import events, kernel, log
from .breakerslot import Slot
from .breakertable import SLOTS, Table
from .cell import Cell
from .decide.breaker import Holder, Policy, State
from .spec import BreakerSpec

LEASE_SECONDS: Final = 60.0
"""How long a probe may take where nobody limits a call."""
GRACE_SECONDS: Final = 5.0
"""Beyond its limit, what a call that hangs is given until it is killed."""


class Breakers:
    """All of this process. `table` is the host's, if there is one."""

    def __init__(self) -> None:
        self._cells: dict[str, Cell] = {}
        self._mutex = threading.Lock()
        self._configured: Mapping[str, BreakerSpec] = {}
        self._started = 0
        self.table: Table | None = None
        self.lease = LEASE_SECONDS
        os.register_at_fork(after_in_child=self.detach)

    def named(self, name: str, failure_threshold: int = 5, timeout: float = 60.0) -> Cell:
        """Return the breaker `name`, made with these parameters if there is none.

        Names that begin with `~` are kherd's own; their places are given away when they are at rest and there are no
        others.
        """
        with self._mutex:
            if name not in self._cells:
                given = Policy(failure_threshold, timeout)
                self._cells[name] = Cell(self, name, given, self._in_force(name, given))
            return self._cells[name]

    def attach(self, table: Table | None, handler_timeout: float, configured: Mapping[str, BreakerSpec]) -> None:
        """Share them with the host by `table`; a probe may take `handler_timeout` seconds, like any call."""
        with self._mutex:
            self.table, self.lease, self._configured = table, handler_timeout + GRACE_SECONDS, configured
            self._started = kernel.started(os.getpid())
            for cell in self._cells.values():
                cell.policy = self._in_force(cell.name, cell.given)
                cell.unbind()

    def detach(self) -> None:
        """Share them with nobody any more: this process is a fork, whose end no supervisor would hear of."""
        self._mutex = threading.Lock()
        self.table, self._started = None, 0
        for cell in self._cells.values():
            cell.unbind(keep=True)

    @property
    def holder(self) -> Holder:
        """Who a lease of this process belongs to."""
        return Holder(os.getpid(), self._started)

    def shut(self, names: Iterable[str]) -> bool:
        """Return whether any of `names` lets nothing through as it does when it is closed."""
        return any(cell.state() is not State.CLOSED for cell in self._known(names))

    def may_try(self, names: Iterable[str], late: float = 0.0) -> bool:
        """Return whether all of `names` would let a call through that asks now; what nobody knows keeps nobody.

        With `late` only if that many seconds ago they would have done so too, or are closed: others go first.
        """
        return all(cell.may_try(late) for cell in self._known(names))

    def knows(self, names: Iterable[str]) -> bool:
        """Return whether any of `names` is a breaker."""
        return bool(self._known(names))

    def bind(self, name: str) -> Slot | None:
        """Return the place of `name`, its own if it cannot be shared; None if that is not known just now."""
        table = self.table
        if table is None:
            return Slot.private()
        try:
            found = table.claim(name)
        except BlockingIOError:
            return None
        except OSError as error:
            self.lose(error)
            return Slot.private()
        if found is None:
            log.emit(events.BREAKER_ALONE, breaker=name, reason=f"the host has {SLOTS} circuit breakers already")
            return Slot.private()
        return found

    def lose(self, error: OSError) -> None:
        """The table's descriptor is gone: each breaker goes on by itself."""
        if self.table is not None:
            self.table = None
            log.emit(events.BREAKERS_ALONE, reason=f"the handler has closed their file ({error.strerror})")

    def _known(self, names: Iterable[str]) -> list[Cell]:
        return [self._cells[name] for name in names if name in self._cells]

    def _in_force(self, name: str, given: Policy) -> Policy:
        own = self._configured.get(name, BreakerSpec())
        threshold = given.failure_threshold if own.failure_threshold is None else own.failure_threshold
        return Policy(threshold, given.timeout if own.timeout is None else own.timeout)


BREAKERS: Final = Breakers()
"""Those of this process: a handler's module makes them wherever it is imported."""
