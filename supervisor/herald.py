"""Tells systemd how the herd is: gathers the facts, has `decide.readiness` decide, says it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from ..worker import clock, log
from ..worker.exits import Exit
from .decide import readiness, shutdown
from .decide.canary import describe_trial
from .decide.child import GONE, State
from .decide.readiness import Event, Patience, QuorumBooted, ReloadBegun, ReloadEnded, StopBegun, Word
from .decide.statusline import Standing, clean, status_line
from .house import House
from .status import BOOTED, problems
from .systemd import MICROSECONDS, Systemd

LOOK_SECONDS: Final = 1.0
"""STATUS is said at most this often."""
MARGIN_SECONDS: Final = 5.0
"""Beyond our own limits: scheduling, and the last words."""
STEPS: Final = {State.SPAWNING: 1, State.BOOTING: 2, State.BARRIER: 3, State.JOINING: 4, State.READY: 5}
"""How far a child has come in its start."""
ENDING: Final = frozenset({shutdown.State.STOPPING, shutdown.State.KILLING, shutdown.State.STOPPED})


class Herald:
    """What systemd knows of the herd in `house`; does nothing where nobody listens."""

    def __init__(self, systemd: Systemd, house: House) -> None:
        self._systemd, self._house = systemd, house
        self._daemon = shutdown.Daemon()
        self._state = readiness.State.STARTING
        self._patience = Patience()
        self._line = ""
        self._look_at = 0.0
        self._pinged: float | None = None

    def passed(self, daemon: shutdown.Daemon, now: float) -> float | None:
        """End a full pass of the loop; return when the next one has to end at the latest, in monotonic seconds."""
        if not self._systemd.listens:
            return None
        self._daemon = daemon
        self._systemd.flush()
        herd, quorum = self._house.herd, self._house.settings.systemd.ready_quorum
        if daemon.state in ENDING:
            self._feed(StopBegun(), now)
        elif self._state is readiness.State.STARTING and readiness.quorum_booted(
            herd.count(*BOOTED), herd.wanted, quorum
        ):
            self._feed(QuorumBooted(), now)
        if now >= self._look_at:
            self._look_at = now + LOOK_SECONDS
            self._tell_status()
            self._ask_patience(now)
        return self._ping(now)

    @contextmanager
    def reloading(self) -> Iterator[None]:
        """Put a reload between RELOADING=1 and READY=1, whatever becomes of it."""
        self._feed(ReloadBegun(), clock.monotonic())
        try:
            yield
        finally:
            self._feed(ReloadEnded(), clock.monotonic())

    def stopped(self, code: Exit, reason: str) -> None:
        """Leave a last word: systemd shows it until the next start."""
        self._systemd.tell(f"STATUS={clean(log.redact(f'stopped with exit code {int(code)}: {reason}'))}")
        self._systemd.close()

    def _feed(self, event: Event, now: float) -> None:
        self._state, word = readiness.step(self._state, event)
        if word is None:
            return
        self._patience, self._look_at = Patience(), now
        if word is Word.RELOADING:
            # One datagram: systemd takes the time for the proof that this answers its own SIGHUP.
            self._systemd.tell(word.value, f"MONOTONIC_USEC={clock.monotonic_ns() * MICROSECONDS // clock.NANOSECONDS}")
        else:
            self._line = self._status()
            self._systemd.tell(word.value, f"STATUS={self._line}")

    def _ask_patience(self, now: float) -> None:
        herd, handles = self._house.herd, self._house.nursery.handles.values()
        if self._state is readiness.State.STARTING:
            progress = sum(STEPS.get(handle.child.state, 0) for handle in handles)
            seconds: float | None = herd.start_seconds + MARGIN_SECONDS
        elif self._state is readiness.State.STOPPING:
            progress = herd.totals().get("handled", 0) - sum(handle.child.state not in GONE for handle in handles)
            piece = self._house.spec.handler_timeout + MARGIN_SECONDS
            seconds = readiness.stop_seconds(now, self._daemon.deadline, piece, MARGIN_SECONDS)
        else:
            return
        self._patience, more = readiness.ask_patience(self._patience, progress, seconds)
        if more is not None:
            self._systemd.tell(f"EXTEND_TIMEOUT_USEC={int(more * MICROSECONDS)}", keep=False)

    def _tell_status(self) -> None:
        line = self._status()
        if line != self._line and self._systemd.tell(f"STATUS={line}", keep=False):
            self._line = line

    def _ping(self, now: float) -> float | None:
        if self._systemd.watchdog is None:
            return None
        due, again = readiness.next_ping(self._pinged, now, self._systemd.watchdog)
        if due:
            self._pinged = now
            self._systemd.tell("WATCHDOG=1", keep=False)
        return again

    def _status(self) -> str:
        return status_line(self._standing())

    def _standing(self) -> Standing:
        house, herd = self._house, self._house.herd
        return Standing(
            state=self._state,
            wanted=herd.wanted,
            booted=herd.count(*BOOTED),
            ready=herd.count(State.READY),
            alive=len(herd.slots) - herd.count(*GONE),
            slots=len(herd.slots),
            moved=sum(slot.running == herd.generation for slot in herd.slots.values()),
            quorum=house.settings.systemd.ready_quorum,
            generation=herd.generation,
            trial=describe_trial(herd.roller.under_way),
            lag=house.observed.lag.total if house.observed.valid else None,
            quiet=self._daemon.state is shutdown.State.QUIET,
            reason=log.redact(self._daemon.reason),
            # What concerns the whole herd is last there, and the line is short.
            problems=[log.redact(problem) for problem in reversed(problems(house))],
        )
