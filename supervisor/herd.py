"""The workers: slots are started, retired and rolled as `decide.reconcile` orders, and watched.

Which generation they run, and whether a new one stands its trial, is the roller's business.
"""

from collections import Counter as Tally
from collections.abc import Callable
from typing import Final

from ..worker import boardview, clock
from ..worker.channel import Message
from ..worker.spec import WorkerSpec
from .decide import child as machine
from .decide.barrier import Waiting, open_gates
from .decide.child import State
from .decide.reconcile import Slot as SlotFacts
from .decide.reconcile import reconcile
from .decide.restart import STEADY_SECONDS, RestartPolicy
from .notices import Notices
from .nursery import Nursery
from .process.boards import Boards
from .process.handle import Handle
from .recycler import Recycler
from .roller import Roller, Times
from .slot import Slot
from .watcher import Watcher
from .workers import Workers

ON_THE_WAY: Final = frozenset({State.SPAWNING, State.BOOTING, State.BARRIER})


class Herd:
    """All slots, and what is wanted of them."""

    def __init__(self, nursery: Nursery, boards: Boards, notices: Notices, life: int, policy: RestartPolicy) -> None:
        self._nursery, self._notices = nursery, notices
        self._workers = Workers(nursery, boards, notices, life, policy)
        self.slots = self._workers.slots
        self.heritage = self._workers.heritage
        """What dead workers leave."""
        self.molds, self.suspects, self.outages = self._workers.molds, self._workers.suspects, self._workers.outages
        self.share = self._workers.share
        self.watcher = Watcher(nursery, self.slots, self.molds, self.suspects.hangings, self._workers.passage)
        self.recycler = Recycler(nursery, self.slots)
        self.wanted = 0
        self.stop_seconds = 25.0
        self.start_seconds = 60.0
        self.settle_seconds = 5.0
        self.roller = Roller(nursery, self._workers, self._times)
        self.leave = False
        self.lasting = 0
        """How many slots the next supervisor of this name will begin with."""
        self.stopping = False
        self._retired: Tally[str] = Tally()

    @property
    def generation(self) -> int:
        """The generation in force or on its way; 0 before there is any."""
        return self.roller.target

    def _times(self) -> Times:
        return Times(self.start_seconds, self.stop_seconds, self.settle_seconds)

    def load(self, spec: WorkerSpec) -> None:
        """Make `spec` the newest generation: the slots roll to it."""
        before, topics = self.generation, self._workers.topics
        if before in topics and self.molds.spec(before).kafka.topics == spec.kafka.topics:
            topics[spec.generation] = topics[before]
        self.roller.load(spec)

    def reconcile(self) -> None:
        """Bring the slots closer to what is wanted; called after whatever may have changed either."""
        self._workers.tidy()
        if self.stopping or not self.generation:
            return
        now, generation = clock.monotonic(), self.roller.accepted
        facts = {index: self._facts(slot, now) for index, slot in self.slots.items()}
        orders = reconcile(facts, self.wanted, generation)
        until = now + self.stop_seconds
        for index in orders.retire:
            stop = machine.Stop(until, wanted=False, reason="the herd got smaller")
            self._nursery.feed(self.slots[index].handle, stop)
        for index in orders.move:
            self.slots[index].generation = generation
            self._nursery.feed(self.slots[index].handle, machine.Start(self.start_seconds))
        for index in orders.start:
            self._start(index, generation)
        if orders.roll is not None and self.roller.may_roll:
            slot = self.slots[orders.roll]
            slot.generation = generation
            self._nursery.feed(slot.handle, machine.Stop(until, wanted=True, reason="rolling to a new generation"))
        if orders.recycle is not None and self.roller.under_way is None:
            self.recycler.recycle(self.slots[orders.recycle], until)
        self.roller.look()
        self._sweep()

    def _facts(self, slot: Slot, now: float) -> SlotFacts:
        child = slot.handle.child
        return SlotFacts(
            child.state,
            slot.running,
            child.wanted,
            slot.load,
            steady=now - child.since >= STEADY_SECONDS,
            worn=slot.worn.urgency if slot.worn else 0.0,
        )

    def _sweep(self) -> None:
        """Forget slots that are down, for those that are wanted have been started, and molds that nobody needs."""
        for slot in [slot for slot in self.slots.values() if slot.handle.child.state is State.DOWN]:
            self._retired.update(slot.counters())
            self._nursery.remove(slot.handle)
            del self.slots[slot.index]
        in_use = {slot.running for slot in self.slots.values()} | {slot.generation for slot in self.slots.values()}
        self.molds.retire(in_use | {self.roller.accepted, self.generation}, clock.monotonic() + 2.0)

    def _start(self, index: int, generation: int) -> None:
        slot = self.slots.get(index)
        if slot is None:
            slot = Slot(index, Handle(f"worker {index}", self.start_seconds), generation)
            self.slots[index] = slot
            self._nursery.add(slot.handle, self._workers)
        slot.fresh, slot.generation = True, generation
        self._nursery.feed(slot.handle, machine.Start(self.start_seconds))

    def drain(self, deadline: float) -> None:
        """Stop every worker, all at once, by `deadline`."""
        self.roller.stop()
        self.stopping, self._workers.staying = True, 0 if self.leave else self.lasting
        for slot in self.slots.values():
            self._nursery.say(slot.handle, {"type": "together"})
            self._nursery.feed(slot.handle, machine.Stop(deadline, wanted=False, reason="stopping"))

    def kill(self, reason: str) -> None:
        """End every worker now."""
        self.roller.stop()
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
            total.update(slot.carried)
        total.update(boardview.sum_counters(slot.papers.board for slot in self.slots.values() if slot.papers))
        return dict(total)

    def note_loads(self, now: float) -> None:
        """Once a second: see how busy each worker is, and whose heirs have caught up."""
        for slot in self.slots.values():
            slot.note_load(now)
        self.heritage.look(slot.papers.board for slot in self.slots.values() if slot.papers)

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
        if self._has_no_topics(slot.running):
            since, strict = slot.booted_at, True  # what the expression matches is not known yet
        return Waiting(slot.index, booted, since, strict, fresh=slot.fresh)

    def _has_no_topics(self, generation: int) -> bool:
        topics = self.molds.spec(generation).kafka.topics
        return any(topic.startswith("^") for topic in topics) and not self._workers.topics.get(generation)

    def set_topics(self, topics: tuple[str, ...]) -> None:
        """Have the newest generation subscribe to `topics`, which the liaison found for a regular expression."""
        if topics == self._workers.topics.get(self.generation):
            return
        self._workers.topics[self.generation] = topics
        for slot in self.slots.values():
            if slot.gate_opened and slot.running == self.generation:
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

    def show_stacks(self) -> None:
        """Log the stacks of who hangs and has had its time to write them, before it is killed."""
        for slot in self.slots.values():
            if slot.handle.child.state is State.TERMINATING:
                self._workers.log_stacks(slot, slot.handle.pid, finished=True)

    def collect_stacks(self) -> None:
        """Log the stacks that have been written since the last call."""
        for slot in self.slots.values():
            self._workers.log_stacks(slot, slot.handle.pid, finished=False)
