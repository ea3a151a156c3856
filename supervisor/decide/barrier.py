"""When booted workers may pass the barrier and join the group.

A worker waits for the death notice of its predecessor (at most a second: a notice that carries the dead member's id
cannot harm the successor), and new slots wait for each other, so that k more workers are one rebalance.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

NOTICE_SECONDS: Final = 1.0
GROUP_SECONDS: Final = 2.0


@dataclass(frozen=True, slots=True)
class Waiting:
    """A slot that is, or will be, at the barrier.

    `booted` is when it arrived there (None: still on its way), `notice` when its predecessor's notice was
    asked for (None: answered, or none is due), `strict` if that notice must be answered, `fresh` if the slot is new.
    """

    slot: int
    booted: float | None
    notice: float | None = None
    strict: bool = False
    fresh: bool = False


def open_gates(waiting: Sequence[Waiting], now: float) -> tuple[list[int], float | None]:
    """Return the slots that may pass now, and when to look again if nothing else happens."""
    fresh = [one for one in waiting if one.fresh]
    arrived = [one.booted for one in fresh if one.booted is not None]
    together = len(arrived) == len(fresh)
    group_until = min(arrived) + GROUP_SECONDS if arrived and not together else now
    passing: list[int] = []
    looks: list[float] = []
    for one in waiting:
        if one.booted is None:
            continue
        until = group_until if one.fresh else now
        if one.notice is not None:
            until = max(until, one.notice + NOTICE_SECONDS)
        if one.notice is not None and one.strict:
            continue
        if until <= now:
            passing.append(one.slot)
        else:
            looks.append(until)
    return passing, min(looks, default=None)
