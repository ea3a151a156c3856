"""The recycler: whom it marks, replaces and kills, and how little it reads for that."""

import io
import json
import os
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from kherd.supervisor.decide.child import Action, Child, State
from kherd.supervisor.decide.limits import MAX_AGE, MAX_RECORDS, MEMORY_REST, MEMORY_SOFT, Policy
from kherd.supervisor.process.handle import Handle
from kherd.supervisor.recycler import Recycler
from kherd.supervisor.slot import Papers, Slot, stacks_file
from kherd.worker import clock, log
from kherd.worker.board import Board
from kherd.worker.boardwriter import BoardWriter
from kherd.worker.counters import Counter
from kherd.worker.spec import LogSpec, SlotIdentity

from ..fakes.nursery import FakeNursery, process

MIB = 2**20


@dataclass
class Barn:
    """Ready workers without processes; what they use is what `rss` and `pss` say, by pid, which is 1000 + slot."""

    folder: Path
    stack: ExitStack
    log: io.StringIO
    nursery: FakeNursery = field(default_factory=FakeNursery)
    slots: dict[int, Slot] = field(default_factory=dict)
    rss: dict[int, int | None] = field(default_factory=dict)
    pss: dict[int, int | None] = field(default_factory=dict)
    reads: list[int] = field(default_factory=list)
    now: float = field(default_factory=clock.monotonic)
    cost: float = 0.0

    def __post_init__(self) -> None:
        self.recycler = Recycler(self.nursery, self.slots, read_rss=self.rss.get, read_pss=self._read)  # type: ignore[arg-type] # the fake has its interface

    def _read(self, pid: int) -> int | None:
        self.reads.append(pid)
        if pid in self.pss:
            return self.pss[pid]
        raise PermissionError(13, "Permission denied")

    def add(self, index: int, rss: int = 20 * MIB, pss: int | None = None) -> Slot:
        """A worker that has just become ready."""
        slot = self.slots[index] = Slot(index, Handle(f"worker {index}", 60.0), 1)
        self.start(slot, rss, pss)
        return slot

    def start(self, slot: Slot, rss: int = 20 * MIB, pss: int | None = None) -> None:
        """A process of the slot, ready."""
        handle = slot.handle
        handle.incarnation += 1
        handle.child = Child(State.READY, since=self.now, wanted=True)
        handle.process = process()
        handle.process.pid = 1000 + slot.index
        self.rss[handle.process.pid] = rss
        if pss is not None:
            self.pss[handle.process.pid] = pss
        identity = SlotIdentity(1, slot.index, handle.incarnation)
        board, fd = Board.create(self.folder / f"{slot.index}-{handle.incarnation}", identity, 1)
        os.close(fd)
        slot.papers = Papers(identity, 1, board, self.folder / f"{slot.index}-{handle.incarnation}", stacks_file(0))
        self.stack.callback(slot.papers.discard)
        self.stack.callback(handle.process.channel.close)

    def use(self, slot: int, rss: int, pss: int | None = None) -> None:
        """Have a worker use so much."""
        self.rss[1000 + slot] = rss
        if pss is not None:
            self.pss[1000 + slot] = pss

    def tick(self, seconds: float = 1.0, *, may_replace: bool = True) -> list[int]:
        """Return who is worn after a tick, `seconds` later than the last one."""
        self.now += seconds
        self.nursery.now = self.now
        self.recycler.tick(self.now, may_replace=may_replace)
        return [index for index, slot in self.slots.items() if slot.worn]

    def told(self, event: str) -> list[dict[str, Any]]:
        lines = map(json.loads, self.log.getvalue().splitlines())
        return [line for line in lines if line["event"] == event]


@pytest.fixture
def barn(tmp_path: Path) -> Iterator[Barn]:
    """An empty barn; its log is read."""
    stream = io.StringIO()
    log.configure(LogSpec(level="debug"), log.Identity("orders", "supervisor"), stream=stream)
    with ExitStack() as stack:
        yield Barn(tmp_path, stack, stream)
    log.configure(LogSpec(), log.Identity())


def test_without_limits_nothing_is_read(barn: Barn) -> None:
    barn.add(0, 10**12)
    assert barn.tick() == []
    assert barn.reads == []


def test_who_is_below_a_limit_by_rss_is_not_asked_for_pss(barn: Barn) -> None:
    barn.recycler.policy = Policy(memory_soft=100 * MIB)
    barn.add(0, 100 * MIB)
    assert [barn.tick() for _ in range(3)] == [[], [], []]
    assert barn.reads == []


def test_who_is_over_by_rss_is_judged_by_pss(barn: Barn) -> None:
    barn.recycler.policy = Policy(memory_soft=100 * MIB, jitter=0)
    barn.add(0)
    barn.add(1)
    barn.tick()
    barn.use(0, 400 * MIB, 90 * MIB)
    assert barn.tick() == []
    barn.use(0, 400 * MIB, 101 * MIB)
    assert barn.tick() == [0]
    assert barn.recycler.memory(barn.slots[0]) == {"rss": 400 * MIB, "pss": 101 * MIB}
    assert barn.recycler.memory(barn.slots[1]) == {"rss": 20 * MIB, "pss": None}
    barn.use(0, 80 * MIB)  # it has given memory back meanwhile
    assert barn.tick() == []


def test_one_worker_is_read_at_a_time_the_one_that_has_waited_the_longest(barn: Barn) -> None:
    barn.recycler.policy = Policy(memory_hard=100 * MIB)
    for index in range(3):
        barn.add(index, 200 * MIB, 50 * MIB)
    for _ in range(6):
        barn.tick()
    assert barn.reads == [1000, 1001, 1002] * 2


def test_reading_takes_a_hundredth_of_the_time_at_most(barn: Barn) -> None:
    barn.recycler.policy = Policy(memory_hard=100 * MIB)
    barn.add(0, 200 * MIB, 50 * MIB)

    def slow(pid: int) -> int | None:
        clock.sleep(0.05)
        return barn._read(pid)

    barn.recycler.read_pss = slow
    for _ in range(10):
        barn.tick()
    assert len(barn.reads) == 2  # the next one is due after 5 s or a little more


def test_who_is_over_memory_hard_is_killed_at_once_and_comes_back(barn: Barn) -> None:
    barn.recycler.policy = Policy(memory_hard=100 * MIB)
    slot = barn.add(0, 200 * MIB, 150 * MIB)
    barn.add(1)
    barn.tick(may_replace=False)
    assert barn.nursery.done == [("worker 0", Action.KILL)]
    assert slot.handle.child.reason == "memory_hard: 150 MiB PSS over 100 MiB"
    assert slot.handle.child.wanted
    assert slot.handle.process is not None
    assert slot.handle.process.memory
    barn.tick()
    assert barn.nursery.done == [("worker 0", Action.KILL)]


def test_who_is_worn_is_stopped_to_come_back_and_counted(barn: Barn) -> None:
    barn.recycler.policy = Policy(max_age=100.0, jitter=0)
    slot = barn.add(0)
    assert barn.tick(98) == []
    assert barn.tick(3) == [0]
    barn.recycler.recycle(slot, barn.now + 25)
    child = slot.handle.child
    assert barn.nursery.done == [("worker 0", Action.TERM)]
    assert (child.state, child.wanted, child.deadline) == (State.DRAINING, True, barn.now + 25)
    assert child.reason.startswith("max_age: 101 s old")
    assert barn.recycler.recycled == {MAX_AGE: 1}
    assert barn.told("child_recycled")[0]["reason"] == child.reason
    assert barn.tick() == []  # it is on its way


def test_records_of_the_present_process_count_whatever_became_of_them(barn: Barn) -> None:
    barn.recycler.policy = Policy(max_records=30, jitter=0)
    slot = barn.add(0)
    slot.carried = {"handled": 10**6}
    assert slot.papers is not None
    writer = BoardWriter(slot.papers.board)
    for counter, amount in ((Counter.HANDLED, 10), (Counter.SKIPPED, 10), (Counter.DEAD_LETTERED, 9)):
        writer.add(counter, amount)
    assert barn.tick() == []
    writer.add(Counter.HANDLED)
    assert barn.tick() == [0]


def test_nobody_is_worn_while_the_herd_could_not_take_it_back(barn: Barn) -> None:
    barn.recycler.policy = Policy(max_age=10.0)
    barn.add(0)
    assert barn.tick(20, may_replace=False) == []
    assert barn.tick() == [0]
    barn.recycler.policy = Policy()
    assert barn.tick() == []


def test_a_limit_is_drawn_once_for_a_process_and_again_for_the_next(barn: Barn) -> None:
    # Given many processes of one age, whose limits are drawn from 100 to 150 s
    barn.recycler.policy = Policy(max_age=100.0, jitter=0.5)
    for index in range(40):
        barn.add(index)
    # Then none goes early, they do not go together, and who is worn stays worn
    assert barn.tick(99) == []
    before: list[int] = []
    for _ in range(52):
        worn = barn.tick()
        assert set(before) <= set(worn)
        assert len(worn) - len(before) < 20
        before = worn
    assert len(before) == 40


def test_a_slot_whose_new_process_is_over_at_once_is_left_alone_and_that_is_told_once(barn: Barn) -> None:
    # Given a worker that grew over its limit and is replaced
    barn.recycler.policy = Policy(memory_soft=100 * MIB, jitter=0)
    slot = barn.add(0)
    barn.tick()
    barn.use(0, 200 * MIB, 150 * MIB)
    assert barn.tick() == [0]
    barn.recycler.recycle(slot, barn.now + 25)
    # When its successor grows as fast
    barn.start(slot)
    barn.tick()
    barn.use(0, 200 * MIB, 150 * MIB)
    # Then it is not replaced until some minutes have passed
    assert [barn.tick() for _ in range(5)] == [[]] * 5
    (told,) = barn.told("recycle_futile")
    assert told["reason"] == "memory_soft: 150 MiB PSS over 100 MiB"
    assert told["baseline"] == "20 MiB"
    assert barn.tick(MEMORY_REST) == [0]
    assert barn.recycler.recycled == {MEMORY_SOFT: 1}


def test_memory_that_may_not_be_read_is_told_once_and_nobody_is_touched(barn: Barn) -> None:
    barn.recycler.policy = Policy(memory_soft=50 * MIB, memory_hard=100 * MIB)
    barn.add(0, 200 * MIB)
    assert [barn.tick() for _ in range(3)] == [[]] * 3
    assert len(barn.told("memory_unknown")) == 1
    assert barn.nursery.done == []


def test_who_has_just_died_is_no_stumbling_block(barn: Barn) -> None:
    barn.recycler.policy = Policy(memory_hard=100 * MIB, max_records=1)
    slot = barn.add(0)
    barn.rss[1000] = None
    assert barn.tick() == []
    del barn.slots[0]
    assert barn.tick() == []
    assert slot.worn is None
    assert MAX_RECORDS not in barn.recycler.recycled
