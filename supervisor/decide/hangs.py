"""Whether a hang of the handler is a record's doing, or an outage that blames nobody.

An outage is two workers that hang within one handler_timeout of each other, or the same place in the code in which
calls for records of two partitions hang, not long after each other.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from ...worker.decide.pressure import Key
from ...worker.decide.stacks import Frame

RESTART_SECONDS: Final = 5.0
"""What lies between two hangs at most beside the time limit: the kill, the start, the join."""


@dataclass(frozen=True, slots=True)
class Hang:
    """A worker of `slot` was seen to hang at `at` (monotonic seconds) in calls for records of partitions `keys`.

    `places`: where its threads were, as far as its stacks tell.
    """

    slot: int
    at: float
    keys: frozenset[Key]
    places: frozenset[tuple[Frame, ...]] = field(default=frozenset())


def echoes(hang: Hang, others: Iterable[Hang], timeout: float, tries: int) -> list[Hang]:
    """Return those of `others` for which `hang` is taken for an outage; `timeout`: handler_timeout, in seconds.

    `tries`: as often as a record may hang before it is put aside; so far back the same place counts.
    """
    return [
        other
        for other in others
        if (other.slot != hang.slot and abs(other.at - hang.at) <= timeout) or _same_place(hang, other, timeout, tries)
    ]


def _same_place(hang: Hang, other: Hang, timeout: float, tries: int) -> bool:
    near = abs(other.at - hang.at) <= (tries + 1) * (timeout + RESTART_SECONDS)
    return near and hang.keys != other.keys and not hang.places.isdisjoint(other.places)


def describe(hang: Hang, echo: Hang) -> str:
    """Return in words why `hang` is taken for an outage."""
    seconds = abs(hang.at - echo.at)
    if echo.slot != hang.slot:
        return f"worker {echo.slot} hangs as well, {seconds:.0f} s apart"
    place = min(hang.places & echo.places, default=((("?", "?")),))
    return f"{seconds:.0f} s apart a call for another partition hangs in {place[0][1]} ({place[0][0]}) as well"
