"""Which generation the slots run: a new one is tried in one of them, then accepted or taken back (`decide.roll`)."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from ..worker import clock, events, log
from ..worker.spec import WorkerSpec
from . import rollbook
from .decide import child as machine
from .decide import roll as rolls
from .decide.canary import Slot as Seen
from .decide.canary import View, counted, perceive
from .decide.child import GONE
from .decide.child import State as Child
from .decide.roll import JOIN_SECONDS, OVER, TRYING, UNPROVEN_SECONDS, Action, Roll, State
from .nursery import Nursery
from .slot import Slot
from .trial import Trial
from .workers import Workers

REMEMBERED: Final = 10
"""Rolls in the status document: who waits for one learns how it ended though others have followed."""
STOPPING: Final = "the herd is stopping"
STARTABLE: Final = GONE - {Child.DOWN}


@dataclass(frozen=True, slots=True)
class Times:
    """Seconds: for a worker's start, for its stop, and for which a canary has to stay ready."""

    start: float
    stop: float
    settle: float


class Roller:
    """The generations of a herd. `accepted` is what whoever is started runs; 0 before there is any."""

    def __init__(self, nursery: Nursery, workers: Workers, times: Callable[[], Times]) -> None:
        self._nursery, self._workers, self._times = nursery, workers, times
        workers.about_to_spawn, workers.on_trial = self._about_to_spawn, self._is_on_trial
        self.accepted = 0
        self.rolls: deque[Roll] = deque(maxlen=REMEMBERED)
        self.rollbacks = 0
        self.reachable: Callable[[], bool | None] = lambda: None
        self.rolled_back: Callable[[], None] = lambda: None
        self._looked = 0.0
        self._trial = Trial()
        self._leaving: dict[int, int] = {}
        """Slots told to change their generation: the incarnation that they are to leave."""

    @property
    def under_way(self) -> Roll | None:
        """The roll that is not over, if there is one."""
        return self.rolls[-1] if self.rolls and self.rolls[-1].state not in OVER else None

    @property
    def may_roll(self) -> bool:
        """Whether another slot may be stopped for its generation: none is being tried, and who is stopped can join."""
        trying = self.under_way is not None and self.under_way.state in TRYING
        return not trying and self.reachable() is not False

    @property
    def target(self) -> int:
        """The generation that is in force, or on its way."""
        return self.under_way.generation if self.under_way is not None else self.accepted

    @property
    def refused(self) -> Roll | None:
        """The last roll, if it was rolled back: the next reload tries again."""
        return self.rolls[-1] if self.rolls and self.rolls[-1].state is State.ROLLED_BACK else None

    def load(self, spec: WorkerSpec) -> None:
        """Make `spec` the newest generation: the first one is accepted at once, others have to stand a trial."""
        if self.under_way is not None:
            self._feed(rolls.Abandon(f"generation {spec.generation} takes its place"))
        self._workers.molds.add(spec, self._times().start, self._workers.policy)
        if not self.accepted:
            self.accepted = spec.generation
            return
        self._looked = clock.monotonic()
        self._trial = Trial()
        self.rolls.append(Roll(spec.generation, self.accepted, since=self._looked))
        log.emit(events.ROLL_STARTED, count=len(self._workers.slots), generation=spec.generation)

    def look(self) -> None:
        """Let what has happened to the roll under way happen to its machine, and perform what follows."""
        self._start_again()
        roll = self.under_way
        if roll is None:
            return
        now, started = clock.monotonic(), self._trial.started or roll.slot is None
        seconds = counted(now - self._looked, reachable=self.reachable(), started=started)
        self._looked = now
        self._judge_canary()
        if not self._perceive():  # what has happened comes before that time has passed: it may be a death
            times = self._times()
            most = times.settle if roll.state is State.SETTLING else times.start + JOIN_SECONDS
            self._feed(rolls.Elapsed(seconds, most))
            self._perceive()

    def _perceive(self) -> bool:
        """Let happen what there is to see; return whether there was anything."""
        for count in range(len(State)):  # each is entered at most once at a time
            roll = self.under_way
            event = perceive(roll, self._view(roll)) if roll is not None else None
            if event is None:
                return count > 0
            self._trial.lost = False
            self._feed(event)
        return True

    def due(self, now: float) -> float | None:
        """Return when the clock of the roll under way has run out, in monotonic seconds; None while it stands still."""
        roll = self.under_way
        if roll is None or roll.left <= 0 or self.reachable() is False:
            return None
        return now + roll.left

    def stop(self) -> None:
        """The herd is stopping: nobody is brought back any more."""
        roll = self.under_way
        if roll is None:
            return
        self._step(rolls.Abandon(STOPPING))
        slot = self._workers.slots.get(roll.slot) if roll.slot is not None and roll.state in TRYING else None
        if slot is not None and slot.handle.child.state is Child.BOOTING:  # whoever has booted leaves with the others
            self._kill(slot, STOPPING, wanted=False)

    def document(self) -> list[dict[str, Any]]:
        """Return the `rolls` part of the status document, the newest last."""
        return [rollbook.document(roll, self._workers.slots.values()) for roll in self.rolls]

    @property
    def stuck(self) -> str | None:
        """What keeps the roll of an accepted generation from ever going on by itself; None: nothing."""
        return None if self.under_way is None else rollbook.stuck(self.under_way, self._workers.slots.values())

    def _feed(self, event: rolls.Event) -> None:
        for action in self._step(event):
            self._perform(action)

    def _step(self, event: rolls.Event) -> tuple[Action, ...]:
        before = self.rolls[-1]
        try:
            after, actions = rolls.step(before, event, clock.monotonic())
        except rolls.IllegalEventError as error:
            log.emit(events.INTERNAL_ERROR, error=error, reason=f"roll to {before.generation}: {error}")
            return ()
        self.rolls[-1] = after
        if after.state is not before.state:
            rollbook.tell(before, after)
        return actions

    def _perform(self, action: Action) -> None:
        roll = self.rolls[-1]
        slot = self._workers.slots.get(roll.slot) if roll.slot is not None else None
        match action:
            case Action.STOP_CANARY if slot is not None:
                self._trial.begin(slot)
                self._move(slot, roll.generation, f"rolling to generation {roll.generation}")
            case Action.ACCEPT:
                self.accepted = roll.generation
            case Action.ROLL_BACK:
                if slot is not None:
                    slot.handle.failures = 0
                    self._move(slot, roll.back_to, f"generation {roll.generation} is not to stay")
                if roll.state is State.ROLLED_BACK:
                    self.rollbacks += 1
                    self.rolled_back()

    def _move(self, slot: Slot, generation: int, reason: str) -> None:
        """Have the slot's next process be of `generation`, and let it come now."""
        slot.generation = generation
        times, state = self._times(), slot.handle.child.state
        if state in STARTABLE:
            self._nursery.feed(slot.handle, machine.Start(times.start))
        elif slot.running != generation:
            self._leaving[slot.index] = slot.handle.incarnation
            if state is Child.BOOTING:
                self._kill(slot, reason, wanted=True)
            else:
                stop = machine.Stop(clock.monotonic() + times.stop, wanted=True, reason=reason)
                self._nursery.feed(slot.handle, stop)

    def _kill(self, slot: Slot, reason: str, *, wanted: bool) -> None:
        """End a process that is still booting: it has nothing to finish, and may never hear that it shall."""
        if slot.handle.process is not None:
            slot.handle.process.asked = True
        self._nursery.feed(slot.handle, machine.Kill(reason, wanted=wanted))

    def _start_again(self) -> None:
        """A slot that was told to change its generation does not wait for its old process' bad end."""
        for index, incarnation in list(self._leaving.items()):
            slot = self._workers.slots.get(index)
            if slot is None or slot.handle.incarnation != incarnation:
                del self._leaving[index]
            elif slot.handle.child.state in STARTABLE:
                self._nursery.feed(slot.handle, machine.Start(self._times().start))

    def _about_to_spawn(self, slot: Slot) -> None:
        roll = self.under_way
        if roll is not None and roll.slot == slot.index:
            self._judge_canary()

    def _is_on_trial(self, slot: Slot) -> bool:
        roll = self.under_way
        return roll is not None and roll.slot == slot.index and roll.state in TRYING

    def _judge_canary(self) -> None:
        roll = self.under_way
        slot = self._workers.slots.get(roll.slot) if roll is not None and roll.slot is not None else None
        if roll is not None and slot is not None and roll.state in TRYING:
            self._trial.judge(roll, slot, reachable=self.reachable())

    def _view(self, roll: Roll) -> View:
        molds, times = self._workers.molds, self._times()
        return View(
            slots={
                index: Seen(
                    slot.handle.child.state, slot.running, slot.handle.child.wanted, failing=slot.handle.failures > 0
                )
                for index, slot in self._workers.slots.items()
            },
            loaded=molds.loaded(roll.generation),
            reachable=self.reachable(),
            patience=times.start + JOIN_SECONDS if roll.back_to in self._workers.proven else UNPROVEN_SECONDS,
            limit=times.start + JOIN_SECONDS,
            settle=times.settle,
            trouble=self._trial.trouble or molds.trouble(roll.generation),
            lost=self._trial.lost,
        )
