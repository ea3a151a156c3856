"""The loop: wait until one deadline, let events happen, bring what is closer to what is wanted; nothing blocks.

Read this with `decide/shutdown.py` (a stop), `nursery.py` (what happens to a child) and `herd.py` (the workers).
"""

from collections.abc import Callable
from signal import Signals as Signal
from typing import Final

from ..worker import clock, events, log
from ..worker.exits import Exit
from .commands import Commands
from .control.server import ControlServer
from .decide import shutdown
from .decide.shutdown import Action, State
from .herald import Herald
from .house import House
from .process.ends import children, end_strangers
from .signals import Signals
from .status import snapshot
from .systemd import Systemd

TICK_SECONDS: Final = 1.0
SUSPENDED_SECONDS: Final = 3.0
"""A tick that comes this late means that we were not running: nobody else can be blamed for a delay."""
STRANGERS_SECONDS: Final = 1.0
LAST_WORDS_SECONDS: Final = 1.0
SERVICES_SECONDS: Final = 2.0
"""The end of a stop's time, kept for the services: the last metrics and death notices."""


class Daemon:
    """One supervisor, from its first fork to its exit code."""

    def __init__(self, house: House, signals: Signals, systemd: Systemd) -> None:
        self._house = house
        self._signals = signals
        self._state = shutdown.Daemon()
        self._tick_at = clock.monotonic()
        self._before = children()
        """Whoever exec has handed on to us: what reads our log, say. They are none of ours."""
        self._given_up: tuple[str, Exit] | None = None
        self._herald = Herald(systemd, house)
        self._commands = Commands(house, self._stop, lambda: self._state, self._herald.reloading)
        self._control = ControlServer(house.socket_path, self._commands.dispatch, house.poller)
        house.give_up = self._give_up
        house.describe = lambda: snapshot(house)
        self._actions: dict[Signal, Callable[[], object]] = {
            Signal.SIGTERM: lambda: self._stop("SIGTERM"),
            Signal.SIGINT: lambda: self._stop("SIGINT"),
            Signal.SIGQUIT: lambda: self._feed(shutdown.StopNow("SIGQUIT")),
            Signal.SIGHUP: self._commands.reload,
            Signal.SIGTTIN: lambda: self._commands.scale_by(1, "SIGTTIN"),
            Signal.SIGTTOU: lambda: self._commands.scale_by(-1, "SIGTTOU"),
            Signal.SIGUSR1: house.herd.dump_all,
            Signal.SIGUSR2: lambda: self._feed(shutdown.QuietToggled()),
            Signal.SIGCHLD: house.nursery.reap,
        }

    def run(self) -> Exit:
        """Raise the herd, and return the exit code when everything is down."""
        self._house.poller.watch(self._signals.fileno(), lambda _: self._take_signals())
        self._house.start()
        while (due := self._pass()) is not None:
            self._house.poller.wait(due - clock.monotonic())
        self._control.close()
        ended = end_strangers(self._before, STRANGERS_SECONDS)
        if ended:
            log.emit(events.STRANGERS_KILLED, count=len(ended), pids=", ".join(map(str, ended)))
        code = Exit.KILLED_AT_DEADLINE if self._killed_at_deadline() else self._state.code
        log.emit(events.SUPERVISOR_STOPPED, code=int(code), reason=self._state.reason)
        self._herald.stopped(code, self._state.reason)
        log.flush(LAST_WORDS_SECONDS)
        return code

    def _pass(self) -> float | None:
        """Do what is due and return when something will be, in monotonic seconds; None when everything is down."""
        house, now = self._house, clock.monotonic()
        if now >= self._tick_at:
            self._tick(now)
        if self._given_up is not None:
            self._go_down(*self._given_up)
        house.herd.reconcile()
        dues = [self._tick_at, house.nursery.deadline(now), house.herd.open_gates(now), self._control.deadline(now)]
        dues.append(house.herd.roller.due(now))
        self._control.expire(now)
        house.herd.show_stacks()
        if self._state.state in {State.STOPPING, State.KILLING}:
            dues.append(self._end(now))
        dues.append(self._herald.passed(self._state, now))
        if self._state.state is State.STOPPED:
            return None
        return min(due for due in dues if due is not None)

    def _tick(self, now: float) -> None:
        """Once a second: look for who hangs, unless we ourselves were not running."""
        herd, late = self._house.herd, now - self._tick_at
        if late < SUSPENDED_SECONDS:
            herd.watcher.watch(now, reachable=self._house.observed.reachable)
        else:
            herd.watcher.resume(now, late, stopping=herd.stopping)
        herd.collect_stacks()
        log.flush()
        self._house.tick(now)
        self._tick_at = now + TICK_SECONDS

    def _end(self, now: float) -> float | None:
        """Go on with a stop: first the workers, then what served them."""
        deadline = self._state.deadline
        if deadline is not None and now >= deadline:
            self._feed(shutdown.DeadlinePassed())
        if self._house.herd.down and self._house.dismiss(deadline or now + SERVICES_SECONDS):
            self._feed(shutdown.AllDown())
        return deadline if deadline is not None and deadline > now else None

    def _take_signals(self) -> None:
        for number in self._signals.take():
            if number is not Signal.SIGCHLD:
                log.emit(events.SIGNAL_RECEIVED, signal=number.name, action="acting on it")
            self._actions[number]()

    def _stop(self, reason: str, *, now: bool = False) -> shutdown.Daemon:
        if now:
            self._feed(shutdown.StopNow(reason))
        else:
            self._feed(shutdown.StopAsked(self._house.settings.stop.timeout, reason))
        return self._state

    def _give_up(self, reason: str, code: Exit) -> None:
        """Stop at the next pass: who calls this is in the middle of a burial."""
        self._given_up = self._given_up or (reason, code)

    def _go_down(self, reason: str, code: Exit) -> None:
        if self._state.state in {State.RUNNING, State.QUIET}:
            log.emit(events.GAVE_UP, reason=reason)
            self._feed(shutdown.StopAsked(self._house.settings.stop.timeout, reason, code))

    def _feed(self, event: shutdown.Event) -> None:
        self._state, actions = shutdown.step(self._state, event, clock.monotonic())
        for action in actions:
            self._perform(action)

    def _perform(self, action: Action) -> None:
        herd = self._house.herd
        match action:
            case Action.DRAIN_ALL:
                deadline = self._state.deadline or clock.monotonic()
                log.emit(events.SUPERVISOR_STOPPING, reason=self._state.reason, seconds=deadline - clock.monotonic())
                self._house.nursery.killed_at_deadline = False  # what a rescale had to kill is no fault of this stop
                herd.drain(deadline - min(SERVICES_SECONDS, (deadline - clock.monotonic()) / 4))
            case Action.KILL_ALL:
                late = self._state.deadline is not None and clock.monotonic() >= self._state.deadline
                reason = "the deadline passed" if late else self._state.reason
                herd.kill(reason)
                self._house.kill(reason)
            case Action.QUIET_ON | Action.QUIET_OFF:
                herd.set_quiet(action is Action.QUIET_ON)
                log.emit(events.QUIET, state="on" if action is Action.QUIET_ON else "off")

    def _killed_at_deadline(self) -> bool:
        return self._state.code is Exit.DONE and self._house.nursery.killed_at_deadline
