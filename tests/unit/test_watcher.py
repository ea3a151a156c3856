"""The watcher: who is dealt with, by which limits, and whose time does not count."""

import os
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from kherd.supervisor.decide.child import Action, Child, State
from kherd.supervisor.decide.hang import JOIN_MARGIN, Limits
from kherd.supervisor.hangings import Hangings
from kherd.supervisor.molds import Molds
from kherd.supervisor.passage import Passage
from kherd.supervisor.process.handle import Handle
from kherd.supervisor.slot import Papers, Slot, stacks_file
from kherd.supervisor.watcher import Watcher, limits_of
from kherd.worker import clock
from kherd.worker.board import Board, Phase, passed_word
from kherd.worker.boardwriter import BoardWriter
from kherd.worker.spec import KafkaSpec, SlotIdentity

from ..fakes.nursery import FakeNursery
from ..fakes.specs import worker_spec

SPEC = worker_spec(handler_timeout=20.0, stop_timeout=25.0)
TIMEOUT = "socket.timeout.ms"
JOINING = 300 + JOIN_MARGIN


class OneSpec:
    """Molds of one generation."""

    def spec(self, generation: int) -> object:
        del generation
        return SPEC


class Noting(Hangings):
    """Notes what it is told of the last hang."""

    handled: Mapping[str, int] = {}

    def seen(self, slot: Slot, overdue: Collection[str], handled: Mapping[str, int]) -> None:
        self.handled = handled
        super().seen(slot, overdue, handled)


@dataclass
class Post:
    """One worker, and whoever watches it."""

    slot: Slot
    writer: BoardWriter
    nursery: FakeNursery = field(default_factory=FakeNursery)
    watcher: Watcher = field(init=False)
    hangings: Noting = field(default_factory=Noting)

    def __post_init__(self) -> None:
        molds: Molds = OneSpec()  # type: ignore[assignment] # it is asked for specs only
        self.nursery.handles["worker 3"] = self.slot.handle
        # the fake has its interface
        slots = {3: self.slot}
        self.watcher = Watcher(self.nursery, slots, molds, self.hangings, Passage(slots))  # type: ignore[arg-type]

    def be(self, state: State, seconds: float) -> None:
        """It has been in `state` for so long."""
        self.slot.handle.child = Child(state, since=clock.monotonic() - seconds, wanted=True)

    def hangs(self, *, reachable: bool | None = True, answering: float = 10_000.0) -> bool:
        """Look, with brokers that have been answering for so long; return whether it is dealt with."""
        now = clock.monotonic()
        if reachable:
            self.watcher.watch(now - answering, reachable=True)
        self.writer.beat()
        self.watcher.watch(now, reachable=reachable)
        return self.nursery.done == [("worker 3", Action.DUMP)]


@pytest.fixture
def post(tmp_path: Path) -> Iterator[Post]:
    """Worker 3, which has just shown a heartbeat."""
    identity = SlotIdentity(1, 3, 1)
    board, fd = Board.create(tmp_path / "board", identity, 1)
    os.close(fd)
    slot = Slot(3, Handle("worker 3", 60.0), 1, papers=Papers(identity, 1, board, tmp_path / "board", stacks_file(3)))
    writer = BoardWriter(board)
    writer.phase(Phase.POLLING)
    yield Post(slot, writer)
    assert slot.papers is not None
    slot.papers.discard()


def test_a_join_may_take_as_long_as_the_group_may_wait_for_its_members(post: Post) -> None:
    post.be(State.JOINING, JOINING - 5)
    assert not post.hangs()
    post.be(State.JOINING, JOINING + 1)
    assert post.hangs()
    assert "taken it in" in post.slot.handle.child.reason


@pytest.mark.parametrize("reachable", [False, None])
def test_a_join_has_no_limit_while_brokers_are_away_or_that_is_not_known(post: Post, reachable: bool | None) -> None:
    post.be(State.JOINING, 100_000)
    assert not post.hangs(reachable=reachable)


def test_a_join_has_its_time_again_after_an_outage(post: Post) -> None:
    post.be(State.JOINING, 100_000)
    post.watcher.watch(clock.monotonic() - 2 * JOINING, reachable=True)
    post.watcher.watch(clock.monotonic() - JOINING, reachable=False)
    assert not post.hangs(answering=JOINING - 5)


def test_a_commit_that_is_forgotten_is_a_hang(post: Post) -> None:
    post.be(State.READY, 1000)
    post.writer.put_waited(179.0)
    assert not post.hangs()
    post.writer.put_waited(181.0)
    assert post.hangs()


def test_who_is_ready_has_no_limit_on_joining(post: Post) -> None:
    post.be(State.READY, 100_000)
    assert not post.hangs()


@pytest.mark.parametrize("state", [State.BARRIER, State.JOINING, State.READY, State.DRAINING])
def test_silence_is_a_hang_in_every_state_that_has_no_deadline_of_its_own_or_a_long_one(
    post: Post, state: State
) -> None:
    post.be(state, 1.0)
    post.writer.words[17] = clock.monotonic_ns() - 20 * clock.NANOSECONDS
    post.watcher.watch(clock.monotonic(), reachable=True)
    assert post.nursery.done == []
    post.watcher.watch(clock.monotonic(), reachable=True)
    assert post.nursery.done == [("worker 3", Action.DUMP)]


def test_a_handler_that_closes_is_not_silent_but_closing(post: Post) -> None:
    post.be(State.DRAINING, 1.0)
    post.writer.phase(Phase.CLOSING)
    post.writer.words[17] = post.writer.words[19] = clock.monotonic_ns() - 20 * clock.NANOSECONDS
    for _ in range(2):
        post.watcher.watch(clock.monotonic(), reachable=True)
    assert post.nursery.done == []
    post.writer.words[19] = clock.monotonic_ns() - 26 * clock.NANOSECONDS
    post.watcher.watch(clock.monotonic(), reachable=True)
    assert "the handler's close" in post.slot.handle.child.reason


def test_time_in_which_the_supervisor_did_not_run_is_nobodys(post: Post) -> None:
    # Given a call and a join of 40 s, of which the supervisor did not run for 30 s
    now = clock.monotonic()
    post.be(State.JOINING, JOINING + 10)
    post.slot.handle.child = Child(State.JOINING, since=now - JOINING - 10, deadline=now - 5, wanted=True)
    post.watcher.resume(now, 30.0, stopping=False)
    # Then neither is a hang, and a deadline that passed meanwhile is still to come
    post.writer.start_call(0, post.writer.topic("orders"), 2, 41, 41, 1)
    post.writer.words[128 + 6] = clock.monotonic_ns() - 40 * clock.NANOSECONDS
    assert not post.hangs()
    assert post.slot.handle.child.deadline == now + 25
    # but what takes too long without that time still is one, and it is known which call that was
    assert post.hangings.late(None, post.slot.in_flight(), "") == []
    post.writer.words[128 + 6] = clock.monotonic_ns() - 51 * clock.NANOSECONDS
    assert post.hangs()
    assert [call.first for call in post.hangings.late(None, post.slot.in_flight(), "")] == [41]


def test_what_is_handled_beside_a_call_is_counted_from_when_that_began(post: Post) -> None:
    topic, now = post.writer.topic("orders"), clock.monotonic()
    post.be(State.READY, 1000)
    post.writer.start_call(0, topic, 2, 41, 41, 1)
    for seconds in (30, 15):
        post.writer.words[passed_word(topic)] += 1000
        post.watcher.watch(now - seconds, reachable=True)
    post.writer.words[passed_word(topic)] += 7
    post.writer.words[128 + 6] = clock.monotonic_ns() - 21 * clock.NANOSECONDS
    assert post.hangs()
    assert post.hangings.handled == {"orders": 7}


def test_the_end_that_a_stop_promised_stays_where_it_is(post: Post) -> None:
    for stopping, deadline in ((True, 7.0), (False, 37.0)):
        post.slot.handle.child = Child(State.DRAINING, deadline=7.0, wanted=False)
        post.watcher.resume(clock.monotonic(), 30.0, stopping=stopping)
        assert post.slot.handle.child.deadline == deadline


def test_limits_follow_what_is_configured() -> None:
    assert limits_of(SPEC) == Limits(handler=20.0, joining=360.0, commit=180.0, closing=25.0)
    slow = worker_spec(
        handler_timeout=600.0,
        kafka=KafkaSpec("k:1", "g", ("t",), client={TIMEOUT: "9000"}, consumer={TIMEOUT: "10000"}),
    )
    assert limits_of(slow).joining == 1260.0
    assert limits_of(slow).commit == 30.0
