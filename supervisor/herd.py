"""The workers: slots are started, retired and rolled as `decide.reconcile` orders, and watched."""

from collections import Counter as Tally
from collections.abc import Callable
from pathlib import Path
from typing import Final

from ..worker import clock, events, log
from ..worker.channel import Message
from ..worker.spec import WorkerSpec
from .decide import child as machine
from .decide.barrier import Waiting, open_gates
from .decide.child import State
from .decide.hang import name_hang
from .decide.reconcile import Slot as SlotFacts
from .decide.reconcile import reconcile
from .decide.restart import RestartPolicy
from .heritage import Heritage
from .notices import Notices
from .nursery import Nursery
from .process.boards import Boards
from .process.handle import Handle
from .slot import Slot
from .workers import Workers

ON_THE_WAY: Final = frozenset({State.SPAWNING, State.BOOTING, State.BARRIER})


class Herd:
    """All slots, and what is wanted of them."""

    def __init__(self, nursery: Nursery, boards: Boards, notices: Notices, life: int, policy: RestartPolicy) -> None:
        self._nursery, self._notices = nursery, notices
        self._workers = Workers(nursery, boards, notices, life, policy)
        self.slots = self._workers.slots
        self.molds = self._workers.molds
        self.generation = 0
        self.wanted = 0
        self.stop_seconds = 25.0
        self.start_seconds = 60.0
        self.leave = False
        self.lasting = 0
        """How many slots the next supervisor of this name will begin with."""
        self.stopping = False
        self._rolling = False
        self._regex = False
        self._retired: Tally[str] = Tally()

    def load(self, spec: WorkerSpec) -> None:
        """Make `spec` the newest generation: slots roll to it."""
        self._rolling = bool(self.slots)
        self._regex = any(topic.startswith("^") for topic in spec.kafka.topics)
        if not self._regex:
            self._workers.topics = ()
        self.generation = spec.generation
        self.molds.add(spec, self.start_seconds, self._workers.policy)
        if self._rolling:
            log.emit(events.ROLL_STARTED, count=len(self.slots), generation=spec.generation)

    def reconcile(self) -> None:
        """Bring the slots closer to what is wanted; called after whatever may have changed either."""
        if self.stopping or not self.generation:
            return
        facts = {
            index: SlotFacts(slot.handle.child.state, self._generation_of(slot), slot.handle.child.wanted, slot.load)
            for index, slot in self.slots.items()
        }
        orders = reconcile(facts, self.wanted, self.generation)
        until = clock.monotonic() + self.stop_seconds
        for index in orders.retire:
            stop = machine.Stop(until, wanted=False, reason="the herd got smaller")
            self._nursery.feed(self.slots[index].handle, stop)
        for index in orders.move:
            self.slots[index].generation = self.generation
            self._nursery.feed(self.slots[index].handle, machine.Start(self.start_seconds))
        for index in orders.start:
            self._start(index)
        if orders.roll is not None:
            slot = self.slots[orders.roll]
            slot.generation = self.generation
            self._nursery.feed(slot.handle, machine.Stop(until, wanted=True, reason="rolling to a new generation"))
        self._sweep()

    def _sweep(self) -> None:
        """Forget slots that are down, for those that are wanted have been started, and molds that nobody needs."""
        for slot in [slot for slot in self.slots.values() if slot.handle.child.state is State.DOWN]:
            self._retired.update(slot.counters())
            self._nursery.remove(slot.handle)
            del self.slots[slot.index]
        in_use = {self._generation_of(slot) for slot in self.slots.values()} | {
            slot.generation for slot in self.slots.values()
        }
        self.molds.retire(in_use | {self.generation}, clock.monotonic() + 2.0)
        ready = all(slot.handle.child.state is State.READY for slot in self.slots.values())
        if self._rolling and in_use <= {self.generation} and ready:
            self._rolling = False
            log.emit(events.ROLL_DONE, generation=self.generation)

    def _generation_of(self, slot: Slot) -> int:
        return slot.papers.generation if slot.papers else slot.generation

    def _start(self, index: int) -> None:
        slot = self.slots.get(index)
        if slot is None:
            slot = Slot(index, Handle(f"worker {index}", self.start_seconds), self.generation)
            self.slots[index] = slot
            self._nursery.add(slot.handle, self._workers)
        slot.fresh, slot.generation = True, self.generation
        self._nursery.feed(slot.handle, machine.Start(self.start_seconds))

    def drain(self, deadline: float) -> None:
        """Stop every worker, all at once, by `deadline`."""
        self.stopping, self._workers.staying = True, 0 if self.leave else self.lasting
        for slot in self.slots.values():
            self._nursery.say(slot.handle, {"type": "together"})
            self._nursery.feed(slot.handle, machine.Stop(deadline, wanted=False, reason="stopping"))

    def kill(self, reason: str) -> None:
        """End every worker now."""
        self.stopping = True
        for slot in self.slots.values():
            self._nursery.feed(slot.handle, machine.Kill(reason))

    @property
    def down(self) -> bool:
        """Whether no worker process is left or coming."""
        return all(slot.handle.child.state is State.DOWN for slot in self.slots.values())

    @property
    def quiet(self) -> bool:
        """Whether workers take nothing new."""
        return self._workers.quiet

    def set_quiet(self, on: bool) -> None:
        """Have all workers take nothing new, or go on."""
        self._workers.quiet = on
        for slot in self.slots.values():
            self._nursery.say(slot.handle, {"type": "quiet", "on": on})

    def set_paused(self, message: Message) -> None:
        """Tell all workers, and all to come, what an operator has paused (`worker.decide.halted`)."""
        self._workers.paused = message
        for slot in self.slots.values():
            self._nursery.say(slot.handle, message)

    def count(self, *states: State) -> int:
        """Return how many slots are in one of `states`."""
        return sum(slot.handle.child.state in states for slot in self.slots.values())

    @property
    def hopeless(self) -> bool:
        """Whether no worker has ever been ready, and every one says that starting again cannot help."""
        return not self._workers.ever_ready and bool(self.slots) and self.count(State.HELD) == len(self.slots)

    def held_reasons(self) -> list[str]:
        """Return why slots are held, each reason once."""
        held = (slot.handle.child for slot in self.slots.values() if slot.handle.child.state is State.HELD)
        return list(dict.fromkeys(child.reason for child in held))

    def totals(self) -> dict[str, int]:
        """Return every counter, summed over all workers there have been."""
        total = Tally(self._retired)
        for slot in self.slots.values():
            total.update(slot.counters())
        return dict(total)

    @property
    def heritage(self) -> Heritage:
        """What dead workers leave."""
        return self._workers.heritage

    def note_loads(self, now: float) -> None:
        """Once a second: see how busy each worker is, and whose heirs have caught up."""
        for slot in self.slots.values():
            slot.note_load(now)
        self.heritage.look(slot.papers.board for slot in self.slots.values() if slot.papers)

    def watch(self) -> None:
        """Kill what hangs."""
        for slot in self.slots.values():
            if slot.papers is not None and slot.handle.child.state in {State.JOINING, State.READY, State.DRAINING}:
                reason = name_hang(slot.sight(), self.molds.spec(slot.papers.generation).handler_timeout)
                if reason is not None:
                    self._nursery.feed(slot.handle, machine.Hang(reason))

    def open_gates(self, now: float) -> float | None:
        """Let those pass who may join; return when to look again."""
        waiting = [self._waiting(slot) for slot in self.slots.values() if slot.handle.child.state in ON_THE_WAY]
        passing, again = open_gates(waiting, now)
        for index in passing:
            self._nursery.feed(self.slots[index].handle, machine.GateOpened())
        return again

    def _waiting(self, slot: Slot) -> Waiting:
        notice = self._notices.of(slot.index)
        booted = slot.booted_at if slot.handle.child.state is State.BARRIER else None
        since, strict = (notice.since, notice.strict) if notice else (None, False)
        if self._regex and not self._workers.topics:
            since, strict = slot.booted_at, True  # what the expression matches is not known yet
        return Waiting(slot.index, booted, since, strict, fresh=slot.fresh)

    def set_topics(self, topics: tuple[str, ...]) -> None:
        """Have the newest generation subscribe to `topics`, which the liaison found for a regular expression."""
        if topics == self._workers.topics:
            return
        self._workers.topics = topics
        for slot in self.slots.values():
            if slot.gate_opened and self._generation_of(slot) == self.generation:
                self._nursery.say(slot.handle, {"type": "topics", "topics": topics})

    def set_policy(self, policy: RestartPolicy) -> None:
        """Restart by `policy` from now on."""
        self._workers.policy = policy

    def on_give_up(self, give_up: Callable[[str], None]) -> None:
        """Have `give_up` called with the reason when the herd cannot go on."""
        self._workers.give_up = give_up

    def notice_answered(self, slot: int, kind: str) -> None:
        """A death notice for `slot` is answered."""
        self._workers.notice_answered(slot, kind)

    def dump_all(self) -> None:
        """USR1: every worker's stacks to the log."""
        for slot in self.slots.values():
            if slot.handle.process is not None and slot.handle.child.state in machine.ALIVE:
                self._workers.dump(slot.handle, slot.handle.process)

    def collect_stacks(self) -> None:
        """Log the stacks that have been written since the last call."""
        for slot in self.slots.values():
            self._workers.log_stacks(slot, slot.handle.pid, finished=False)


def board_folder(state_dir: Path) -> Path:
    """Return where the boards of a herd are."""
    return state_dir / "board"
