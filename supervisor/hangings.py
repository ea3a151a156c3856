"""Hangs of the handler that were seen lately: which calls were too late, and whether one of them is an outage."""

from collections import deque
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, NamedTuple

from .. import worker
from ..worker import clock
from ..worker.boardview import InFlight
from ..worker.decide.stacks import places
from ..worker.decide.suspects import Suspect
from .decide.hangs import Hang, describe, echoes
from .slot import Slot

REMEMBERED: Final = 32
OURS: Final = str(Path(worker.__file__).parent)


@dataclass(slots=True)
class Hanging:
    """One hang: the calls that were too late, as `topic[partition]@offset`, and whom it was blamed on."""

    pid: int | None
    hang: Hang
    overdue: frozenset[str]
    blamed: Collection[Suspect] = ()


class Echo(NamedTuple):
    """Why a hang is taken for an outage, and whom the other hangs had been blamed on."""

    reason: str
    blamed: Collection[Suspect]


class Hangings:
    """The last hangs, by the process that hung."""

    def __init__(self) -> None:
        self._all: deque[Hanging] = deque(maxlen=REMEMBERED)

    def seen(self, slot: Slot, overdue: Collection[str], handled: Mapping[str, int]) -> None:
        """The worker of `slot` hangs: in the `overdue` calls, or elsewhere if there are none.

        `handled`: by topic, what the herd has handled since they began.
        """
        keys = frozenset((call.topic, call.partition) for call in slot.in_flight() if where(call) in overdue)
        beside = sum(handled.get(topic, 0) for topic in {topic for topic, _ in keys})
        hang = Hang(slot.index, clock.monotonic(), keys, beside=beside)
        self._all.append(Hanging(slot.handle.pid, hang, frozenset(overdue)))

    def late(self, pid: int | None, calls: Collection[InFlight], stacks: str) -> list[InFlight]:
        """Return those of `calls`, under way when process `pid` ended, that were too late; `stacks` are its."""
        hanging = self._of(pid)
        if hanging is None:
            return []
        hanging.hang = replace(hanging.hang, places=places(stacks, OURS))
        return [call for call in calls if where(call) in hanging.overdue]

    def echo(self, pid: int | None, timeout: float, tries: int) -> Echo | None:
        """Return why the hang of process `pid` is an outage, if it is; the other hangs then blame nobody any more."""
        hanging = self._of(pid)
        if hanging is None:
            return None
        others = {id(one.hang): one for one in self._all if one is not hanging}
        found = echoes(hanging.hang, [one.hang for one in others.values()], timeout, tries)
        if not found:
            return None
        blamed = [suspect for hang in found for suspect in others[id(hang)].blamed]
        for hang in found:
            others[id(hang)].blamed = ()
        return Echo(describe(hanging.hang, found[-1]), blamed)

    def blame(self, pid: int | None, suspects: Collection[Suspect]) -> None:
        """Note whom the hang of process `pid` was blamed on."""
        hanging = self._of(pid)
        if hanging is not None:
            hanging.blamed = suspects

    def _of(self, pid: int | None) -> Hanging | None:
        return next((one for one in reversed(self._all) if one.pid == pid), None)


def where(call: InFlight) -> str:
    """Return where `call` is, as the watcher spells it."""
    return f"{call.topic}[{call.partition}]@{call.first}"
