"""Killing workers of a herd under a steady stream, one after another, and what the ledger says of each kill."""

import os
import signal
from dataclasses import dataclass
from typing import Final

from ..worker import clock
from .gaps import longest_pause, takeovers
from .herd import Herd
from .ledger import Handled
from .scenes import Standing, shares, standings

WINDOW: Final = 1.0
"""Seconds watched without a fault before each kill, and from it on: a worker that lives as long counts as well again."""
BACK: Final = 60.0


@dataclass(frozen=True, slots=True)
class Kill:
    """One kill -9: whom, when (monotonic seconds), and how the others stood before and after."""

    slot: int
    pid: int
    partitions: frozenset[int]
    control: float
    at: float
    others_before: dict[int, Standing]
    others_after: dict[int, Standing]


@dataclass(frozen=True, slots=True)
class Toll:
    """What a kill cost, in seconds: the longest gap of its own partitions; the longest pause of the others, and without a fault.

    `again` is how many records were handled twice.
    """

    gap: float
    others: float
    control: float
    again: int


def kill_worker(herd: Herd, slot: int, window: float = WINDOW, back: float = BACK) -> Kill:
    """Watch for `window`, kill the worker in `slot`, watch for `window`, and wait until its successor has worked.

    The herd must be settled. Nothing is asked of the supervisor while the successor is on its way.
    """
    control = clock.monotonic()
    clock.sleep(window)
    before = herd.status()
    victim = next(one for one in before["slots"] if one["slot"] == slot)
    at = clock.monotonic()
    os.kill(victim["pid"], signal.SIGKILL)
    clock.sleep(window)
    owned = frozenset(shares(before)[slot])

    def worked_on(document: dict[str, object]) -> bool:
        slots: list[dict[str, object]] = document["slots"]  # type: ignore[assignment]  # JSON
        done = {
            part["partition"]
            for one in slots
            if one["pid"] != victim["pid"]
            for part in one["partitions"]  # type: ignore[attr-defined]  # JSON
            if part["done"] is not None
        }
        return owned <= done

    after = herd.wait_status(worked_on, back, f"the partitions {sorted(owned)} of slot {slot} to be worked on again")
    return Kill(slot, victim["pid"], owned, control, at, _without(slot, before), _without(slot, after))


def toll(kill: Kill, handled: Handled, topic: str, window: float = WINDOW) -> Toll:
    """Return what `kill` cost by the ledger."""
    own = takeovers(handled, topic, kill.pid, kill.partitions)
    others = {partition for standing in kill.others_before.values() for partition in standing[3]}
    return Toll(
        max(one.seconds for one in own),
        longest_pause(handled, topic, others, kill.at, kill.at + window),
        longest_pause(handled, topic, others, kill.control, kill.control + window),
        sum(one.again for one in own),
    )


def _without(slot: int, document: dict[str, object]) -> dict[int, Standing]:
    return {index: standing for index, standing in standings(document).items() if index != slot}
