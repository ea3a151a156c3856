"""Records that meet an outage in a worker: they wait without an attempt, without calls, and go on when it is over."""

import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from confluent_kafka import Message

from kherd import BreakerOpen, CircuitBreaker, ProcessingError, Record, Results
from kherd.testing.wait import until
from kherd.worker.board import Board
from kherd.worker.boardview import counters_of, partitions_of
from kherd.worker.breakers import BREAKERS
from kherd.worker.decide.breaker import Holder
from kherd.worker.refusals import REFUSALS
from kherd.worker.spec import ErrorSpec

from ..fakes.rig import Rig

EVENTS = {"record_waits", "record_retried", "record_released", "batch_failed"}


class World:
    """A worker of two partitions, a breaker that one failure opens, and what is behind it."""

    def __init__(self, board: Board, **fields: Any) -> None:
        self.breaker = CircuitBreaker(uuid.uuid4().hex, 1, 1000.0)
        self.cell = BREAKERS.named(self.breaker.name)
        self.away = True
        self.calls: list[tuple[int, int]] = []
        self.board = board
        errors = ErrorSpec(backoff_initial=0.01, backoff_max=0.05)
        self.rig = Rig(board, commit_interval=0.0, errors=errors, **fields)
        REFUSALS.told = self.rig.pulse.glance_now
        self.rig.session.handler.invoke = self.handle
        self.then: Callable[[Any], Any] = lambda _: None
        self.rig.group.news.append(("on_assign", [0, 1]))

    def handle(self, given: Any) -> Any:
        messages: list[Message] = given if isinstance(given, list) else [given]
        self.calls += [(message.partition() or 0, message.offset() or 0) for message in messages]
        self.breaker.call(self.save)
        return self.then(given)

    def save(self) -> None:
        if self.away:
            raise ConnectionError("away")

    def careless(self, given: Any) -> Any:
        try:
            return self.handle(given)
        except BreakerOpen:
            return self.then(given)

    def write(self, count: int = 2) -> None:
        for partition in (0, 1):
            for _ in range(count):
                self.rig.group.write(partition, b"x")

    def due(self) -> None:
        """Let the breaker's timeout pass."""
        slot = self.cell._slot
        assert slot is not None
        known = slot.load()
        assert known is not None
        slot.store(
            type(known)(known.state, known.serial, 0, known.since, 0.0, known.timeout, Holder(0, 0), known.trips)
        )

    def go(self, condition: Callable[[], bool]) -> None:
        def look() -> bool:
            self.rig.go(1)
            return condition()

        assert until(look, 10, "the worker", glance=0.001)

    @property
    def counters(self) -> dict[str, int]:
        return counters_of(self.board)


@pytest.fixture(params=["record", "batch"])
def world(board: Board, request: pytest.FixtureRequest) -> Iterator[World]:
    made = World(board, mode=request.param)
    yield made
    REFUSALS.told = lambda: None
    REFUSALS.take()
    made.rig.close()


def waiting(world: World) -> bool:
    return len(world.rig.session.partitions.blocked) == 2


def done(world: World) -> bool:
    return world.rig.group.committed == {0: 2, 1: 2}


def events(caplog: pytest.LogCaptureFixture) -> list[str]:
    found: Any = caplog.records
    return [record.event for record in found if getattr(record, "event", "") in EVENTS]


def test_it_waits_without_attempts_and_calls_until_the_probe_succeeds(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    world.write()
    world.go(lambda: waiting(world))
    known = len(world.calls)
    world.rig.go(30)
    assert len(world.calls) == known
    counted = world.counters
    assert (counted["failed"], counted["outages"], counted["retried"]) == (0, counted["calls"], 0)
    assert world.rig.group.committed == {0: 0, 1: 0}
    # When its time has come, one of them tries, in vain, and then another one
    for probes in (1, 2):
        world.due()
        world.go(lambda probes=probes: len(world.calls) == known + probes)  # type: ignore[misc]
    assert {partition for partition, _ in world.calls[known:]} == {0, 1}
    assert world.counters["failed"] == 0
    # And when it is back, all go on, in order
    world.away = False
    world.due()
    world.go(lambda: done(world))
    assert events(caplog).count("record_waits") == 2
    assert "record_retried" not in events(caplog)
    assert world.counters["retried"] == 0


def test_a_swallowed_refusal_is_an_outage_and_produces_nothing(world: World) -> None:
    world.cell.trip()
    world.rig.session.handler.invoke = world.careless
    world.then = lambda _: Record("out", b"x")
    world.write()
    world.go(lambda: waiting(world))
    assert world.counters["outages"] == world.counters["calls"]
    assert world.counters["handled"] == world.counters["produced"] == 0
    assert all(one.done in {0, None} for one in partitions_of(world.board))
    world.away, world.then = False, lambda _: None
    world.due()
    world.go(lambda: done(world))


def test_what_is_listed_as_an_outage_has_a_backoff_of_its_own(board: Board) -> None:
    rig = Rig(board, commit_interval=0.0, errors=ErrorSpec(0, 0.01, 0.02, outage=("TimeoutError",)))
    calls: list[int] = []

    def handle(message: Message) -> None:
        calls.append(message.offset() or 0)
        if len(calls) < 5:
            raise RuntimeError from TimeoutError()

    rig.session.handler.invoke = handle
    rig.group.news.append(("on_assign", [0]))
    rig.group.write(0, b"x")
    assert until(lambda: rig.go(1) or rig.group.committed[0] == 1, 10, "the commit", glance=0.001)
    assert calls == [0] * 5
    assert counters_of(board)["outages"] == 4
    rig.close()


def test_a_refusal_by_a_breaker_that_nobody_knows_has_a_backoff_too(world: World) -> None:
    refusals: list[Any] = []

    def handle(given: Any) -> None:
        if len(refusals) < 4:
            refusals.append(given)
            raise BreakerOpen("of another library")

    world.rig.session.handler.invoke = handle
    world.write()
    world.go(lambda: done(world))
    assert world.counters["outages"] == 4


def test_poison_among_them_is_poison(world: World) -> None:
    world.away = False

    def poisoned(given: Any) -> Any:
        if isinstance(given, list):
            return Results([ProcessingError("no") for _ in given])
        raise ProcessingError("no")

    world.then = poisoned
    world.write(1)
    world.go(lambda: len(world.calls) == 2)
    assert world.counters["outages"] == 0
    assert world.breaker.state == "closed"


def test_a_list_whose_handler_says_which_records_were_refused_is_believed(board: Board) -> None:
    world = World(board, mode="batch")
    world.cell.trip()
    handled: list[int] = []

    def handle(messages: list[Message]) -> Results:
        entries: list[Any] = []
        for message in messages:
            try:
                if message.partition() == 0:
                    world.breaker.call(world.save)
                handled.append(message.partition() or 0)
                entries.append(None)
            except BreakerOpen as refusal:
                entries.append(refusal)
        return Results(entries)

    world.rig.session.handler.invoke = handle
    world.write(1)
    world.go(lambda: world.rig.group.committed[1] == 1)
    world.away = False
    world.due()
    world.go(lambda: world.rig.group.committed == {0: 1, 1: 1})
    assert handled == [1, 0]
    REFUSALS.told = lambda: None
    world.rig.close()
