"""Whether a hang of the handler is a record's doing, or an outage that blames nobody.

An outage is two workers that hang within one handler_timeout of each other, or the same place in the code in which
calls for records of two partitions hang, not long after each other. Two hangs with a partition in common say nothing:
they may be of one record. Nor do two say anything beside which plenty is handled, by the measure of `spread`.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from ...worker.decide.pressure import Key
from ...worker.decide.stacks import Frame
from . import spread

RESTART_SECONDS: Final = 5.0
"""What lies between two hangs at most beside the time limit: the kill, the start, the join."""
_POLICY: Final = spread.Policy()
_TWO: Final = spread.failed(_POLICY, spread.failed(_POLICY, spread.Evidence(), ("one",)), ("another",))
"""Two hangs, and nothing handled beside them."""


@dataclass(frozen=True, slots=True)
class Hang:
    """A worker of `slot` was seen to hang at `at` (monotonic seconds) in calls for records of partitions `keys`.

    `places`: where its threads were, as far as its stacks tell. `beside`: how many records of its topics the herd has
    handled since the call began.
    """

    slot: int
    at: float
    keys: frozenset[Key]
    places: frozenset[tuple[Frame, ...]] = field(default=frozenset())
    beside: int = 0


def echoes(hang: Hang, others: Iterable[Hang], timeout: float, tries: int) -> list[Hang]:
    """Return those of `others` for which `hang` is taken for an outage; `timeout`: handler_timeout, in seconds.

    `tries`: as often as a record may hang before it is put aside; so far back the same place counts.
    """
    if spread.is_outweighed(spread.passed(_POLICY, _TWO, hang.beside)):
        return []
    apart = [other for other in others if hang.keys.isdisjoint(other.keys)]
    soon = (tries + 1) * (timeout + RESTART_SECONDS)
    return [other for other in apart if _at_once(hang, other, timeout) or _same_place(hang, other, soon)]


def _at_once(hang: Hang, other: Hang, seconds: float) -> bool:
    return other.slot != hang.slot and abs(other.at - hang.at) <= seconds


def _same_place(hang: Hang, other: Hang, seconds: float) -> bool:
    return abs(other.at - hang.at) <= seconds and not hang.places.isdisjoint(other.places)


def describe(hang: Hang, echo: Hang) -> str:
    """Return in words why `hang` is taken for an outage."""
    seconds = abs(hang.at - echo.at)
    if echo.slot != hang.slot:
        return f"worker {echo.slot} hangs as well, {seconds:.0f} s apart"
    file, function = min(hang.places & echo.places)[0]
    return f"a call for another partition hung {seconds:.0f} s before in {function} ({file}) as well"
