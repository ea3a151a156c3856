"""The workers: slots are started, retired and rolled as `decide.reconcile` orders, and watched."""

import os
import signal
from collections import Counter as Tally
from collections.abc import Callable
from pathlib import Path
from typing import Final

from ..worker import boardview, clock, events, log
from ..worker.channel import Message, pair
from ..worker.spec import SlotIdentity, WorkerSpec
from .decide import child as machine
from .decide.barrier import Waiting, open_gates
from .decide.cause import Cause
from .decide.child import State
from .decide.reconcile import Slot as SlotFacts
from .decide.reconcile import reconcile
from .decide.restart import Again, Plan, RestartPolicy
from .molds import Molds, Request
from .notices import Notices
from .nursery import Nursery
from .process.boards import Boards
from .process.handle import Handle, Process
from .slot import Papers, Slot, stacks_file

COMING_BACK_SECONDS: Final = 5.0
"""A slot whose restart is further away than this gives its place in the group up."""
REVOKE_SECONDS: Final = 10.0
ON_THE_WAY: Final = frozenset({State.SPAWNING, State.BOOTING, State.BARRIER})


class Herd:
    """All slots. It is also the `Kind` of every worker's handle."""

    def __init__(self, nursery: Nursery, boards: Boards, notices: Notices, life: int, policy: RestartPolicy) -> None:
        self._nursery, self._boards, self._notices, self._life = nursery, boards, notices, life
        self.policy = policy
        self.recent: tuple[float, ...] = ()
        self.slots: dict[int, Slot] = {}
        self.molds = Molds(nursery, self._lost)
        self.generation = 0
        self.wanted = 0
        self.quiet = False
        self.stop_seconds = 25.0
        self.start_seconds = 60.0
        self.leave = False
        self.stopping = False
        self.give_up: Callable[[str], None] = lambda _: None
        self._rolling = False
        self._ever_ready = False
        self._retired: Tally[str] = Tally()

    def load(self, spec: WorkerSpec) -> None:
        """Make `spec` the newest generation: slots roll to it."""
        self._rolling = bool(self.slots)
        self.generation = spec.generation
        self.molds.add(spec)
        if self._rolling:
            log.emit(events.ROLL_STARTED, count=len(self.slots), generation=spec.generation)

    def reconcile(self) -> None:
        """Bring the slots closer to what is wanted; called after whatever may have changed either."""
        if self.stopping:
            return
        facts = {
            index: SlotFacts(slot.handle.child.state, self._generation_of(slot), slot.handle.child.wanted)
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
        """Forget slots that are down and not wanted, and molds that nobody needs."""
        for index in [one for one in self.slots if one >= self.wanted]:
            slot = self.slots[index]
            if slot.handle.child.state is State.DOWN:
                self._retired.update(slot.counters())
                self._nursery.remove(slot.handle)
                del self.slots[index]
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
            self._nursery.add(slot.handle, self)
        slot.fresh, slot.generation = True, self.generation
        self._nursery.feed(slot.handle, machine.Start(self.start_seconds))

    def drain(self, deadline: float) -> None:
        """Stop every worker, all at once, by `deadline`."""
        self.stopping = True
        for slot in self.slots.values():
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

    def set_quiet(self, on: bool) -> None:
        """Have all workers take nothing new, or go on."""
        self.quiet = on
        for slot in self.slots.values():
            self._nursery.say(slot.handle, {"type": "quiet", "on": on})

    def count(self, *states: State) -> int:
        """Return how many slots are in one of `states`."""
        return sum(slot.handle.child.state in states for slot in self.slots.values())

    @property
    def hopeless(self) -> bool:
        """Whether no worker has ever been ready, and every one says that starting again cannot help."""
        return not self._ever_ready and bool(self.slots) and self.count(State.HELD) == len(self.slots)

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

    def watch(self) -> None:
        """Kill what hangs."""
        for slot in self.slots.values():
            if slot.papers is not None and slot.handle.child.state in {State.JOINING, State.READY, State.DRAINING}:
                limit = self.molds.spec(slot.papers.generation).handler_timeout
                reason = slot.hang(limit, REVOKE_SECONDS)
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
        return Waiting(slot.index, booted, since, strict, fresh=slot.fresh)

    def dump_all(self) -> None:
        """USR1: every worker's stacks to the log."""
        for slot in self.slots.values():
            if slot.handle.process is not None and slot.handle.child.state in machine.ALIVE:
                self.dump(slot.handle, slot.handle.process)

    def collect_stacks(self) -> None:
        """Log the stacks that have been written since the last call."""
        for slot in self.slots.values():
            self._log_stacks(slot, finished=False)

    def _log_stacks(self, slot: Slot, *, finished: bool) -> None:
        text = slot.papers.stacks_text(finished=finished) if slot.papers else ""
        if text:
            log.emit(events.CHILD_STACKS, child=slot.handle.name, child_pid=slot.handle.pid, stacks=text)

    # What the nursery asks of a kind

    def spawn(self, handle: Handle) -> None:
        """Create the process' papers and ask its generation's mold for it."""
        slot = self._slot(handle)
        identity = SlotIdentity(self._life, slot.index, handle.incarnation)
        try:
            board, board_fd, path = self._boards.create(identity, slot.generation)
        except OSError as error:
            self._nursery.fail(handle, f"its board: {error}")
            return
        slot.papers = Papers(identity, slot.generation, board, path, stacks_file(slot.index))
        slot.booted_at, slot.gate_opened = None, False
        ours, theirs = pair()
        self._nursery.attach(handle, Process(ours, handle.incarnation))
        fds = (theirs.socket.detach(), board_fd, os.dup(slot.papers.stacks))
        self.molds.request(Request(handle, identity, fds), slot.generation)

    def open_gate(self, handle: Handle) -> None:
        """Let it join."""
        slot = self._slot(handle)
        slot.fresh, slot.gate_opened = False, True
        if self.quiet:
            self._nursery.say(handle, {"type": "quiet", "on": True})
        self._nursery.say(handle, {"type": "go"})

    def message(self, handle: Handle, message: Message) -> None:
        """Act on what a worker says."""
        slot, process = self._slot(handle), handle.process
        assert process is not None
        match message["type"]:
            case "announced" if process.pid is None:
                self._announced(handle, process, message["pid"])
            case "booted":
                slot.booted_at = clock.monotonic()
                self._nursery.feed(handle, machine.Booted())
            case "ready":
                self._ever_ready = True
                log.emit(events.CHILD_READY, child=handle.name, seconds=clock.monotonic() - (slot.booted_at or 0.0))
                self._nursery.feed(handle, machine.Ready())
            case "failed":
                process.said = message["reason"]
            case "unreleased":
                self._notices.unreleased(slot.index)

    def _announced(self, handle: Handle, process: Process, pid: int) -> None:
        if handle.child.state is not State.SPAWNING:
            return  # hung up on already: it reads end of file and leaves
        try:
            process.pidfd = os.pidfd_open(pid)
        except OSError:
            self._nursery.feed(handle, machine.MoldLost())
            return
        process.pid = pid
        self._nursery.say(handle, {"type": "held"})
        self._nursery.adopt(handle, process)

    def hung_up(self, handle: Handle) -> None:
        """Drop the request for it; a mold that has not answered in time is no use any more."""
        self.molds.withdraw(handle, kill=handle.child.wanted)

    def notice_answered(self, slot_index: int, kind: str) -> None:
        """A worker that was told its instance id is not released may try again."""
        slot = self.slots.get(slot_index)
        if slot is not None and kind == "describe_release" and slot.gate_opened:
            self._nursery.say(slot.handle, {"type": "go"})

    def dump(self, handle: Handle, process: Process) -> None:
        """Have faulthandler write to the stacks file, which `collect_stacks` reads."""
        del process
        self._nursery.send_signal(handle, signal.SIGUSR1)

    def gone(self, handle: Handle, process: Process, cause: Cause, plan: Plan) -> None:
        """Tell what it left unfinished and whom to tell of its end; its papers end here."""
        del process
        slot = self._slot(handle)
        self._log_stacks(slot, finished=True)
        assert slot.papers is not None
        for call in slot.in_flight():
            log.emit(
                events.UNFINISHED, child=handle.name, topic=call.topic, partition=call.partition,
                first=call.first, last=call.last,
            )  # fmt: skip
        slot.fold()
        member_id = boardview.member_id_of(slot.papers.board)
        soon = isinstance(plan, Again) and plan.at - clock.monotonic() < COMING_BACK_SECONDS
        coming_back = soon or (self.stopping and not self.leave)
        if cause.kind != "spawn":
            self._notices.died(slot.index, member_id, coming_back=coming_back, clean=cause.clean)
        slot.papers.discard()
        slot.papers = None

    def degraded(self, handle: Handle) -> None:
        """More failed starts than the intensity allows: go on slowly, or give up."""
        if self.policy.give_up == "exit":
            self.give_up(f"{handle.name}: more than {self.policy.intensity} failed starts in {self.policy.period:g} s")

    def _lost(self, handle: Handle) -> None:
        self._nursery.feed(handle, machine.MoldLost())

    def _slot(self, handle: Handle) -> Slot:
        return self.slots[int(handle.name.removeprefix("worker "))]


def board_folder(state_dir: Path) -> Path:
    """Return where the boards of a herd are."""
    return state_dir / "board"
