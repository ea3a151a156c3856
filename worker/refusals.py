"""Which open breakers have refused a call: a handler may have swallowed that, and the record is not done all the same.

Where handler calls run one at a time, whatever is refused meanwhile is refused to the one call, in whichever thread.
Where several run, each is watched by itself: in its thread or task, and in the tasks that it starts.
"""

from collections.abc import Callable
from contextvars import ContextVar
from typing import Final

from .errors import BreakerOpen

_watched: ContextVar[set[str] | None] = ContextVar("kherd_refusals", default=None)


class Refusals:
    """The names of the breakers that have refused a call since somebody last took them."""

    def __init__(self) -> None:
        self.names: set[str] = set()
        """Of calls that are not watched by themselves; the record loop looks whether there are any."""
        self.told: Callable[[], None] = lambda: None
        """Called at each refusal: has the record loop look."""

    def note(self, name: str) -> None:
        """The breaker `name` has refused a call."""
        watched = _watched.get()
        (self.names if watched is None else watched).add(name)
        self.told()

    def take(self) -> frozenset[str]:
        """Return the names, and forget them."""
        watched = _watched.get()
        names = self.names if watched is None else watched
        found = frozenset(names)
        names.difference_update(found)
        return found

    def watch(self) -> None:
        """Watch this thread or task by itself from now on."""
        _watched.set(set())


REFUSALS: Final = Refusals()
"""Those of this process."""


def refused() -> frozenset[str]:
    """Return the breakers that have refused this call, asked before it and after it; asking forgets them."""
    return REFUSALS.take()


def raise_refusals() -> None:
    """Raise what the handler should have raised, if this call was refused one."""
    names = refused()
    if names:
        raise swallowed(names)


def swallowed(names: frozenset[str]) -> BreakerOpen:
    """Return what a handler should have raised when breakers refused it calls, all of them in its chain."""
    error: BreakerOpen | None = None
    for name in sorted(names, reverse=True):
        before, error = error, BreakerOpen(name)
        error.__cause__ = before
    assert error is not None
    return error


def watch() -> None:
    """Have `refused` tell of this thread or task alone: several calls of the handler run at a time."""
    REFUSALS.watch()
