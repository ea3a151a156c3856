"""What interrupts the work between two records: a signal, the clock, a word from the supervisor."""

from collections.abc import Callable
from types import FrameType
from typing import Final

from . import clock, context
from .decide.halted import Halted
from .heritage import Heritage
from .rulings import Rulings
from .suspects import Suspects

GLANCE: Final = 0.001
"""Seconds for which the record loop compares the clock with one number and does nothing else beside its work."""


class Pulse:
    """Flags that the record loop looks at. A signal handler may set them between any two instructions."""

    __slots__ = (
        "due",
        "glance",
        "guard",
        "halted",
        "heritage",
        "leave",
        "quiet",
        "rulings",
        "stopped_at",
        "stopping",
        "suspects",
        "together",
        "topics",
    )

    def __init__(self) -> None:
        self.due = 0.0
        """Monotonic seconds at which the loop looks up from its records; 0: now."""
        self.glance = 0.0
        """Monotonic seconds at which the record loop asks whether that is so; 0: now."""
        self.guard: Callable[[], None] = lambda: None
        """What looks after the process' signals now and then (`guard`)."""
        self.stopping = False
        self.stopped_at = 0.0
        """Monotonic seconds of the first TERM."""
        self.quiet = False
        """Take nothing new, keep what is assigned."""
        self.halted = Halted()
        """What an operator has paused."""
        self.heritage = Heritage()
        """What is known of workers that died, and of topics."""
        self.suspects = Suspects()
        """Records that workers have died with."""
        self.rulings = Rulings()
        """What the supervisor has said of failures."""
        self.together = False
        """The whole herd is stopping: be done, but stay in the group until told to leave it."""
        self.leave = False
        """Everybody is done."""
        self.topics: tuple[str, ...] = ()
        """What to subscribe to; set where a regular expression is configured, which the liaison resolves."""

    def on_term(self, _signal: int, _frame: FrameType | None) -> None:
        """Handle TERM: nothing but flags, for a handler that raised here would lose records inside librdkafka."""
        self.stop()

    def stop(self) -> None:
        """Finish what is in flight, begin nothing."""
        if not self.stopping:
            self.stopped_at = clock.monotonic()
        self.stopping = True
        context.stop()
        self.due = self.glance = 0.0

    def glance_now(self) -> None:
        """Have the record loop look after the call that is under way; any thread may say so."""
        self.glance = 0.0

    def next(self, due: float) -> None:
        """Set when to look up next, in monotonic seconds, unless something has come up already."""
        self.due = due
        if self.stopping:  # asked after the store: a signal in between has set it to 0 before
            self.due = 0.0

    def go_on(self, now: float) -> bool:
        """Return whether the record loop may go on at `now`, and set when it asks again; if not, it is to look up."""
        self.glance = min(now + GLANCE, self.due)
        if self.stopping:  # as above
            self.glance = 0.0
        return now < self.due
