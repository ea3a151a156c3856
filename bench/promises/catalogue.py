"""Every measurement there is, in the order of a run: what needs a calm machine first."""

from collections.abc import Sequence
from typing import Final

from . import breaker, consume, dynamic, idle, memory, pickup, respawn, sweep, takeover, uncommitted, waits
from .stage import Measurement

MEASUREMENTS: Final[tuple[Measurement, ...]] = (
    idle,
    breaker,
    respawn,
    pickup,
    consume,
    uncommitted,
    waits,
    takeover,
    dynamic,
    memory,
    sweep,
)


class UnknownNameError(Exception):
    """There is no such promise; the text names those there are."""


def chosen(names: Sequence[str]) -> list[Measurement]:
    """Return the measurements of that name, or of a promise of that name; all of them for no names.

    Raises:
        UnknownNameError: a name is neither.
    """
    known = {one.NAME: one for one in MEASUREMENTS}
    known |= {promise.name: one for one in MEASUREMENTS for promise in one.PROMISES}
    unknown = [name for name in names if name not in known]
    if unknown:
        raise UnknownNameError(f"no promise is called {unknown[0]!r}; there are {', '.join(sorted(known))}")
    wanted = {known[name].NAME for name in names}
    return [one for one in MEASUREMENTS if not names or one.NAME in wanted]
