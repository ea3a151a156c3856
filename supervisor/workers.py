"""The `Kind` of every worker: how one is forked, let through the barrier, listened to and buried."""

import errno
import os
import signal
from collections.abc import Callable
from contextlib import ExitStack
from typing import Final

from ..worker import boardview, boardwriter, clock, events, log
from ..worker.channel import Message
from ..worker.spec import SlotIdentity
from .breakers import Breakers
from .decide import child as machine
from .decide.cause import Cause
from .decide.child import State
from .decide.restart import Again, Plan, RestartPolicy
from .heritage import Heritage
from .molds import Molds, Request
from .notices import Notices
from .nursery import Nursery
from .outages import Outages
from .papers import prepare
from .passage import Passage
from .process.boards import Boards
from .process.handle import Handle, Process
from .slot import Papers, Slot
from .suspects import Suspects

COMING_BACK_SECONDS: Final = 5.0
"""A slot whose restart is further away than this gives its place in the group up."""


class Workers:
    """All slots by index, and what happens to their processes. `life` is the supervisor's, for the boards."""

    def __init__(self, nursery: Nursery, boards: Boards, notices: Notices, life: int, policy: RestartPolicy) -> None:
        self._nursery, self._boards, self._notices, self._life = nursery, boards, notices, life
        self.policy = policy
        self.recent: tuple[float, ...] = ()
        self.slots: dict[int, Slot] = {}
        self.molds = Molds(nursery, self._lost)
        self.heritage = Heritage(self._say_all, life)
        self.suspects = Suspects(self._say_all)
        self.breakers: Breakers | None = None
        self.passage = Passage(self.slots)
        self.outages = Outages(self.passage, self._say_one, self._say_all)
        self.quiet = False
        self._worthless: list[tuple[Papers, bool]] = []
        """Papers of processes that are gone, and whether their boards' files stay."""
        self.paused: Message | None = None
        """What a worker is told of an operator's pauses; None: there are none."""
        self.topics: dict[int, tuple[str, ...]] = {}
        """What a generation subscribes to where a regular expression is configured; not there: as configured."""
        self.about_to_spawn: Callable[[Slot], None] = lambda _: None
        """Told before each start of a slot's process: it may still change the slot's generation."""
        self.on_trial: Callable[[Slot], bool] = lambda _: False
        """Asked at the end of a slot's process: whether the slot gets another one at once, whatever is planned."""
        self.staying = 0
        """Slots below this that end for good will be back soon, with the next supervisor of this name."""
        self.ever_ready = False
        self.proven: set[int] = set()
        """Generations of which a worker has been ready."""
        self.give_up: Callable[[str], None] = lambda _: None

    def spawn(self, handle: Handle) -> None:
        """Create the process' papers and ask its generation's mold for it."""
        slot = self._slot(handle)
        self.about_to_spawn(slot)
        slot.booted_at, slot.gate_opened, slot.drained = None, False, False
        identity = SlotIdentity(self._life, slot.index, handle.incarnation)
        try:
            with ExitStack() as undo:
                slot.papers, channel, fds = prepare(slot, identity, self._boards, self.breakers, undo)
                undo.pop_all()
        except OSError as error:  # no descriptor left, no room for the board
            if error.errno in {errno.ENOSPC, errno.EDQUOT} and self.heritage.give_up_files():
                self.spawn(handle)
                return
            self._nursery.fail(handle, f"its board and channel: {error}")
            return
        self._nursery.attach(handle, Process(channel, handle.incarnation))
        self.molds.request(Request(handle, identity, fds), slot.generation)

    def share(self, breakers: Breakers) -> None:
        """Have all workers to come share the host's circuit breakers."""
        self.breakers = breakers

    def open_gate(self, handle: Handle) -> None:
        """Let it join."""
        slot = self._slot(handle)
        slot.fresh, slot.gate_opened = False, True
        if self.quiet:
            self._nursery.say(handle, {"type": "quiet", "on": True})
        if self.paused is not None:
            self._nursery.say(handle, self.paused)
        for message in (*self.heritage.greet(), *self.suspects.greet(), *self.outages.greet()):
            self._nursery.say(handle, message)
        self._nursery.say(handle, {"type": "go", "topics": self.topics.get(slot.running, ())})

    def stop(self, handle: Handle) -> None:
        """Say so both ways: its handler may have taken TERM for itself, and only TERM interrupts a wait."""
        self._nursery.say(handle, {"type": "stop"})
        self._nursery.send_signal(handle, signal.SIGTERM)

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
                self.ever_ready = True
                self.proven.add(slot.running)
                log.emit(events.CHILD_READY, child=handle.name, seconds=clock.monotonic() - (slot.booted_at or 0.0))
                self._nursery.feed(handle, machine.Ready())
            case "failed":
                process.said = message["reason"]
            case "unreleased":
                self._notices.unreleased(slot.index)
            case "drained":
                slot.drained = True
                self._leave_together()
            case _:
                self._hear(slot, message)

    def _hear(self, slot: Slot, message: Message) -> None:
        match message["type"]:
            case "identify":
                self.heritage.ask(filter(None, map(str, message.get("topics", ()))))
            case "acquitted":
                self.suspects.acquitted(message)
            case _:
                self.outages.hear(slot.index, message)

    def _leave_together(self) -> None:
        """Let everybody leave the group, if nobody in it has anything left to do."""
        there = [slot for slot in self.slots.values() if slot.handle.process is not None]
        if all(slot.drained for slot in there):
            for slot in there:
                self._nursery.say(slot.handle, {"type": "leave"})

    def _announced(self, handle: Handle, process: Process, pid: int) -> None:
        if handle.child.state is not State.SPAWNING:
            return  # hung up on already: it reads end of file and leaves
        try:
            process.pidfd = os.pidfd_open(pid)
        except OSError as error:
            process.said = f"holding it: {error.strerror}"
            self._nursery.feed(handle, machine.MoldLost())
            return
        process.pid = pid
        self._nursery.say(handle, {"type": "held"})
        self._nursery.adopt(handle, process)

    def hung_up(self, handle: Handle) -> None:
        """Drop the request for it; a mold that has not answered in time is no use any more."""
        answered = handle.process is not None and handle.process.said is not None
        self.molds.withdraw(handle, kill=handle.child.wanted and not answered)

    def notice_answered(self, slot_index: int, kind: str) -> None:
        """A worker that was told its instance id is not released may try again."""
        slot = self.slots.get(slot_index)
        if slot is not None and kind == "describe_release" and slot.gate_opened:
            self._nursery.say(slot.handle, {"type": "go"})

    def dump(self, handle: Handle, process: Process) -> None:
        """Have faulthandler write to the stacks file, which `collect_stacks` reads."""
        del process
        self._nursery.send_signal(handle, signal.SIGUSR1)

    def blames(self, handle: Handle, process: Process, cause: Cause) -> bool:
        """Blame its death on the records in flight, if they may be to blame; return whether they are."""
        slot = self._slot(handle)
        assert slot.papers is not None
        before = slot.papers.stacks_shown
        self.log_stacks(slot, process.pid, finished=True)
        shown = slot.papers.stacks_shown
        stacks = shown if shown is not before or cause.kind == "hang" else ""
        timeout = self.molds.spec(slot.papers.generation).handler_timeout
        return self.suspects.died(slot, process, cause, stacks, timeout)

    def gone(self, handle: Handle, process: Process, cause: Cause, plan: Plan) -> None:
        """Tell what it left unfinished and whom to tell of its end; its papers end here."""
        slot = self._slot(handle)
        assert slot.papers is not None
        for call in slot.in_flight():
            log.emit(
                events.UNFINISHED, child=handle.name, topic=call.topic, partition=call.partition,
                first=call.first, last=call.last,
            )  # fmt: skip
        boardwriter.end_calls(slot.papers.board)
        slot.fold()
        if self.breakers is not None:
            self.breakers.buried(process.pid, cause.text, hung=cause.kind == "hang")
        self.outages.gone(slot.index, slot.papers.board)
        member_id = boardview.member_id_of(slot.papers.board)
        soon = self.on_trial(slot) or (isinstance(plan, Again) and plan.at - clock.monotonic() < COMING_BACK_SECONDS)
        coming_back = soon or slot.index < self.staying
        # Before the notice: with that, the group gives its partitions to somebody.
        keep = self.heritage.bury(slot.papers.board_path, slot.papers.board)
        if cause.kind != "spawn":
            held = [(view.topic, view.partition) for view in boardview.partitions_of(slot.papers.board)]
            self._notices.died(slot.index, member_id, coming_back=coming_back, clean=cause.clean, partitions=held)
        self._worthless.append((slot.papers, keep))
        slot.papers = None
        self._leave_together()

    def tidy(self) -> None:
        """Give back what dead processes had: deleting a file may take longer than a fork, and nobody waits for it."""
        worthless, self._worthless = self._worthless, []
        for papers, keep in worthless:
            papers.discard(keep_file=keep)

    def log_stacks(self, slot: Slot, pid: int | None, *, finished: bool) -> None:
        """Log the stacks that a worker has written since the last call."""
        text = slot.papers.stacks_text(finished=finished) if slot.papers else ""
        if text and slot.papers:
            slot.papers.stacks_shown = text
            log.emit(events.CHILD_STACKS, child=slot.handle.name, child_pid=pid, stacks=text)

    def degraded(self, handle: Handle) -> None:
        """More failed starts than the intensity allows: go on slowly, or give up."""
        if self.policy.give_up == "exit":
            self.give_up(f"{handle.name}: more than {self.policy.intensity} failed starts in {self.policy.period:g} s")

    def _say_one(self, slot_index: int, message: Message) -> None:
        slot = self.slots.get(slot_index)
        if slot is not None:
            self._nursery.say(slot.handle, message)

    def _say_all(self, message: Message) -> None:
        for slot in self.slots.values():
            if slot.gate_opened:
                self._nursery.say(slot.handle, message)

    def _lost(self, handle: Handle) -> None:
        self._nursery.feed(handle, machine.MoldLost())

    def _slot(self, handle: Handle) -> Slot:
        return self.slots[int(handle.name.removeprefix("worker "))]
