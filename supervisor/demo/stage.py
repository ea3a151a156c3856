"""What goes on while the demo waits: the stream flows, the ledger is read, the picture redrawn, signals are heard."""

import signal
from collections.abc import Callable
from typing import Any, Final, Self

from ...worker import clock
from .herd import Herd
from .ledger import LedgerReader
from .show import Show
from .stream import DeadLetters, Source

TURN: Final = 0.01
LOOK: Final = 0.1
"""Seconds between two looks at the daemon's status."""
STOPPING: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class DemoError(Exception):
    """The demo cannot go on: something did not happen in time, or the daemon ended."""


class InterruptedDemoError(Exception):
    """Somebody wants the demo to end; `number` is the signal."""

    def __init__(self, number: int) -> None:
        super().__init__(signal.Signals(number).name)
        self.number = number


class Interrupts:
    """Remembers signals instead of acting on them: what is being started or removed is never torn in the middle."""

    def __init__(self) -> None:
        self.seen: list[int] = []

    def __enter__(self) -> Self:
        # Under nohup, the end of the terminal stays ignored.
        heard = [one for one in STOPPING if one != signal.SIGHUP or signal.getsignal(one) is not signal.SIG_IGN]
        self._before = {number: signal.signal(number, self._note) for number in heard}
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    @property
    def insistent(self) -> bool:
        """Whether more than one signal came."""
        return len(self.seen) > 1

    def check(self) -> None:
        """Raise InterruptedDemoError if a signal came."""
        if self.seen:
            raise InterruptedDemoError(self.seen[0])

    def _note(self, number: int, _frame: object) -> None:
        self.seen.append(number)


class Stage:
    """The herd, the stream and what is known of them; `within` is the only place where the demo waits."""

    def __init__(self, herd: Herd, interrupts: Interrupts, show: Show) -> None:
        self.herd = herd
        self.show = show
        self.ledger = LedgerReader(herd.ledger)
        self.source: Source | None = None
        self.dead: DeadLetters | None = None
        self.status: dict[str, Any] = {}
        self._interrupts = interrupts
        self._look_at = 0.0

    def until(self, condition: Callable[[], bool], seconds: float, what: str) -> None:
        """Wait for `condition`.

        Raises:
            DemoError: it stayed false for `seconds`, or the daemon ended.
            InterruptedDemoError: a signal came.
        """
        ended = self._ended
        if not self.within(lambda: ended() or condition(), seconds):
            raise DemoError(f"{what}: not within {seconds:g} s")
        if ended():
            raise DemoError(f"the daemon ended with {self.herd.exit_code()} before {what}")

    def flow(self, seconds: float) -> None:
        """Let the stream flow for a while; raises as `until`."""
        end = clock.monotonic() + seconds
        self.until(lambda: clock.monotonic() >= end, seconds + 1, "time has passed")

    def ended(self, seconds: float) -> int | None:
        """Wait for the daemon's end, at most `seconds`; return its exit code. Raises InterruptedDemoError."""
        self.within(self._ended, seconds)
        return self.herd.exit_code()

    def within(self, condition: Callable[[], bool], seconds: float) -> bool:
        """Wait for `condition`, at most `seconds`; return whether it came true. Raises InterruptedDemoError."""
        deadline = clock.monotonic() + seconds
        while True:
            self._turn()
            if condition():
                return True
            if clock.monotonic() >= deadline:
                return False
            clock.sleep(TURN)

    def _ended(self) -> bool:
        return self.herd.exit_code() is not None

    def _turn(self) -> None:
        self._interrupts.check()
        now = clock.monotonic()
        if self.source is not None:
            self.source.pump(now)
        if self.dead is not None:
            self.dead.read()
        self.ledger.read()
        if now >= self._look_at:
            self._look_at = now + LOOK
            self.status = self.herd.status() or self.status
            self.show.refresh(self.status, len(self.ledger.entries), len(self.dead.letters) if self.dead else 0)
