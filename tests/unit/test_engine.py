"""Calls beside each other, in real threads or on a real event loop, of a worker whose group is the test's."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from confluent_kafka import Message

from kherd import ProcessingError, Record, Retry, Skip, context
from kherd.worker.board import Board
from kherd.worker.boardview import counters_of, in_flight_of
from kherd.worker.counters import Counter
from kherd.worker.decide.halted import Halted, encode
from kherd.worker.kafka import CallbackError
from kherd.worker.spec import ErrorSpec

from ..fakes.consumer import TOPIC
from ..fakes.producer import refuse
from ..fakes.rig import Rig

SOON = ErrorSpec(backoff_initial=0.001, backoff_max=0.002)


class Calls:
    """A handler whose calls begin by themselves, and end as the test says."""

    def __init__(self) -> None:
        self.begun: list[tuple[int, int]] = []
        self.ended: list[tuple[int, int]] = []
        self.attempts: list[int] = []
        self.answers: dict[tuple[int, int], list[Any]] = {}
        self.held = False
        self._doors: dict[tuple[int, int], threading.Event] = {}

    def answer(self, place: tuple[int, int], *answers: Any) -> None:
        """Have the calls of a record raise or return these, in turn; after that None."""
        self.answers[place] = list(answers)

    def door(self, place: tuple[int, int]) -> threading.Event:
        return self._doors.setdefault(place, threading.Event())

    def let(self, *places: tuple[int, int]) -> None:
        for place in places:
            self.door(place).set()

    def open_all(self) -> None:
        self.held = False
        for door in list(self._doors.values()):
            door.set()

    def handle(self, message: Any) -> Any:
        place = self._begin(message)
        if self.held:
            self.door(place).wait(20)
        return self._end(place)

    async def handle_async(self, message: Any) -> Any:
        place = self._begin(message)
        while self.held and not self.door(place).is_set():  # noqa: ASYNC110 - the test's thread opens it
            await asyncio.sleep(0.001)
        return self._end(place)

    def _begin(self, message: Any) -> tuple[int, int]:
        place = (message.partition(), message.offset())
        self.attempts.append(context().attempt)
        self.begun.append(place)
        return place

    def _end(self, place: tuple[int, int]) -> Any:
        answers = self.answers.get(place)
        answer = answers.pop(0) if answers else None
        self.ended.append(place)
        if isinstance(answer, BaseException):
            raise answer
        return answer


@pytest.fixture
def calls() -> Iterator[Calls]:
    made = Calls()
    yield made
    made.open_all()


@pytest.fixture(params=["threads", "coroutines"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def rig(board: Board, calls: Calls, kind: str, request: pytest.FixtureRequest) -> Iterator[Rig]:
    fields: dict[str, Any] = {"concurrency": 8, "order": "key", "commit_interval": 0.0, "errors": SOON}
    fields |= getattr(request, "param", {})
    handle: Callable[[Any], Any] = calls.handle if kind == "threads" else calls.handle_async
    made = Rig(board, handle=handle, **fields)
    made.group.news.append(("on_assign", [0, 1]))
    yield made
    calls.open_all()
    made.close()
    made.session.handler.close()


def write(rig: Rig, *keys: str | None, partition: int = 0) -> None:
    """Write a record per key: its offsets follow from there."""
    for key in keys:
        offset = rig.group.ends[partition]
        data = None if key is None else key.encode()
        rig.group.log[partition].append(
            Message(topic=TOPIC, partition=partition, offset=offset, key=data, value=b"12345")
        )
        rig.group.ends[partition] = offset + 1


def tell(rig: Rig, halted: Halted) -> None:
    rig.ours.send(encode(halted))
    rig.session.desk._heard_at = -1.0
    rig.pulse.due = 0


def orders(**fields: Any) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("rig", [fields], indirect=True)


def test_records_of_a_key_are_handled_one_after_the_other_and_keys_beside_each_other(rig: Rig, calls: Calls) -> None:
    calls.held = True
    write(rig, "a", "a", "b", "b", None, None)
    rig.until(lambda: len(calls.begun) == 4)
    assert sorted(calls.begun) == [(0, 0), (0, 2), (0, 4), (0, 5)]
    assert counters_of(rig.session.board.board)["active"] == 4
    calls.let((0, 0))
    rig.until(lambda: len(calls.begun) == 5)
    assert calls.begun[-1] == (0, 1)
    calls.open_all()
    rig.until(lambda: rig.group.committed[0] == 6)
    assert counters_of(rig.session.board.board)["active"] == 0


@orders(order="partition")
def test_order_partition_is_one_at_a_time_of_each(rig: Rig, calls: Calls) -> None:
    calls.held = True
    write(rig, "a", None, "b")
    write(rig, None, "x", partition=1)
    rig.until(lambda: len(calls.begun) == 2)
    rig.go(5)
    assert sorted(calls.begun) == [(0, 0), (1, 0)]
    calls.open_all()
    rig.until(lambda: rig.group.committed == {0: 3, 1: 2})
    assert [place for place in calls.begun if place[0] == 0] == [(0, 0), (0, 1), (0, 2)]


@orders(order="none")
def test_order_none_is_as_many_at_a_time_as_there_may_be_calls(rig: Rig, calls: Calls) -> None:
    calls.held = True
    write(rig, *["a"] * 20)
    rig.until(lambda: len(calls.begun) == 8)
    rig.go(5)
    assert len(calls.begun) == 8
    calls.open_all()
    rig.until(lambda: rig.group.committed[0] == 20)


def test_a_commit_never_passes_a_call_under_way(rig: Rig, calls: Calls) -> None:
    calls.held = True
    write(rig, "a", "b", "c")
    rig.until(lambda: len(calls.begun) == 3)
    calls.let((0, 2), (0, 1))
    rig.until(lambda: len(calls.ended) == 2)
    rig.go(20)
    assert rig.group.committed[0] == 0
    calls.let((0, 0))
    rig.until(lambda: rig.group.committed[0] == 3)


def test_what_is_done_is_on_the_board_before_the_main_thread_looks(rig: Rig, calls: Calls) -> None:
    write(rig, "a", "b")
    rig.until(lambda: len(calls.begun) == 2)
    rig.until(lambda: rig.group.committed[0] == 2)
    calls.held = True
    write(rig, "c")
    rig.until(lambda: len(calls.begun) == 3)
    [partition] = [one for one in rig.session.partitions if one.number == 0]
    assert partition.offsets.committable == 2
    calls.let((0, 2))
    with rig.session._crew.gate.aside():  # type: ignore[union-attr]
        deadline = threading.Event()
        for _ in range(2000):
            if partition.offsets.committable == 3:
                break
            deadline.wait(0.005)
    assert partition.offsets.committable == 3


def test_every_call_has_a_row_of_its_own_with_its_record(rig: Rig, calls: Calls, board: Board) -> None:
    calls.held = True
    write(rig, "a", "b", "c")
    rig.until(lambda: len(calls.begun) == 3)
    assert sorted((call.partition, call.first, call.last) for call in in_flight_of(board)) == [
        (0, 0, 0), (0, 1, 1), (0, 2, 2),
    ]  # fmt: skip
    calls.let((0, 1))
    rig.until(lambda: len(in_flight_of(board)) == 2)
    assert {call.first for call in in_flight_of(board)} == {0, 2}
    calls.open_all()
    rig.until(lambda: not in_flight_of(board))


@pytest.mark.parametrize(
    "error",
    [RuntimeError("x"), SystemExit(3), KeyboardInterrupt(), StopIteration(), asyncio.CancelledError(), GeneratorExit()],
    ids=lambda error: type(error).__name__,
)
def test_whatever_is_raised_is_the_failure_of_its_record_which_holds_its_key_alone(
    rig: Rig, calls: Calls, error: BaseException
) -> None:
    calls.answer((0, 0), error, error)
    write(rig, "a", "a", "b", "b")
    rig.until(lambda: rig.group.committed[0] == 4)
    assert calls.begun.count((0, 0)) == 3
    assert calls.begun.index((0, 1)) > max(at for at, place in enumerate(calls.begun) if place == (0, 0))
    assert [attempt for attempt, place in zip(calls.attempts, calls.begun, strict=True) if place == (0, 0)] == [1, 2, 3]
    rig.go(2)  # what a call came to is counted at the next turn
    counters = counters_of(rig.session.board.board)
    assert (counters["handled"], counters["failed"], counters["retried"], counters["calls"]) == (4, 2, 2, 6)


def test_a_key_that_waits_for_its_retry_keeps_no_other_waiting(rig: Rig, calls: Calls) -> None:
    calls.answer((0, 0), Retry(after=3600))
    write(rig, "a", "a", "b", None)
    rig.until(lambda: len(calls.ended) == 3)
    rig.go(20)
    assert sorted(calls.ended) == [(0, 0), (0, 2), (0, 3)]
    assert rig.group.committed[0] == 0
    assert rig.consumer.paused == set()
    write(rig, "c", "a")
    rig.until(lambda: (0, 4) in calls.ended)
    assert (0, 5) not in calls.begun


def test_a_skipped_record_lets_its_key_go_on(rig: Rig, calls: Calls) -> None:
    calls.answer((0, 0), Skip())
    write(rig, "a", "a")
    rig.until(lambda: rig.group.committed[0] == 2)
    assert counters_of(rig.session.board.board)["skipped"] == 1


def test_the_next_record_of_a_key_begins_when_the_dead_letter_is_acknowledged(rig: Rig, calls: Calls) -> None:
    rig.producers.options["silent"] = True
    calls.answer((0, 0), ProcessingError("poison"))
    write(rig, "a", "a", "b")
    rig.until(lambda: len(rig.producers.sent) == 1)
    rig.go(20)
    assert sorted(calls.begun) == [(0, 0), (0, 2)]
    assert rig.group.committed[0] == 0
    for producer in rig.producers.made:
        producer.silent = False
    rig.until(lambda: rig.group.committed[0] == 3)
    assert calls.begun[-1] == (0, 1)
    assert counters_of(rig.session.board.board)["dead_lettered"] == 1


def test_a_dead_letter_that_is_refused_holds_its_key_until_it_is_taken(rig: Rig, calls: Calls) -> None:
    answers: list[int | None] = [29, 29]  # TOPIC_AUTHORIZATION_FAILED
    inner = refuse(29)
    rig.producers.options["answer"] = lambda sent: inner(sent) if answers and answers.pop() else None
    calls.answer((0, 0), ProcessingError("poison"))
    write(rig, "a", "a", "b")
    rig.until(lambda: rig.group.committed[0] == 3)
    assert len(rig.producers.sent) == 3
    assert calls.begun.count((0, 0)) == 1


def test_outputs_are_acknowledged_before_their_record_is_done_and_in_the_order_of_its_key(
    rig: Rig, calls: Calls
) -> None:
    rig.producers.options["silent"] = True
    for offset in range(3):
        calls.answer((0, offset), Record("out", b"%d" % offset))
    write(rig, "a", "a", "a")
    rig.until(lambda: len(rig.producers.sent) == 3)
    rig.go(10)
    assert [sent.value for sent in rig.producers.sent] == [b"0", b"1", b"2"]
    assert rig.group.committed[0] == 0
    for producer in rig.producers.made:
        producer.silent = False
    rig.until(lambda: rig.group.committed[0] == 3)
    rig.go(2)
    assert counters_of(rig.session.board.board)["produced"] == 3


def test_a_record_whose_output_is_refused_is_handled_again_before_its_key_goes_on(rig: Rig, calls: Calls) -> None:
    refused: list[int] = []

    def answer(sent: Any) -> Any:
        refused.append(1)
        return refuse(29)(sent) if len(refused) == 1 else None

    rig.producers.options["answer"] = answer
    calls.held = True
    calls.answer((0, 0), Record("out", b"x"), Record("out", b"x"))
    write(rig, "a", "a", "a")
    rig.until(lambda: calls.begun == [(0, 0)])
    calls.let((0, 0))
    rig.until(lambda: len(refused) == 1 and (0, 1) in calls.begun)
    rig.go(10)
    calls.let((0, 1))
    rig.until(lambda: calls.begun.count((0, 0)) == 2)
    assert (0, 2) not in calls.begun
    calls.open_all()
    rig.until(lambda: rig.group.committed[0] == 3)
    assert calls.begun == [(0, 0), (0, 1), (0, 0), (0, 2)]


def test_what_an_operator_pauses_is_not_begun_and_goes_on_in_order(rig: Rig, calls: Calls) -> None:
    calls.held = True
    write(rig, "a", "a", "a")
    rig.until(lambda: len(calls.begun) == 1)
    tell(rig, Halted(partitions=frozenset([(TOPIC, 0)])))
    rig.until(lambda: rig.consumer.paused == {0})
    calls.let((0, 0))
    rig.until(lambda: len(calls.ended) == 1)
    write(rig, "b", partition=1)
    rig.until(lambda: (1, 0) in calls.begun)
    assert (0, 1) not in calls.begun
    tell(rig, Halted())
    calls.open_all()
    rig.until(lambda: rig.group.committed == {0: 3, 1: 1})
    assert [place for place in calls.begun if place[0] == 0] == [(0, 0), (0, 1), (0, 2)]


def test_a_retry_waits_while_its_partition_is_paused(rig: Rig, calls: Calls) -> None:
    calls.answer((0, 0), Retry(after=0.05))
    write(rig, "a", "a")
    rig.until(lambda: len(calls.ended) == 1)
    tell(rig, Halted(partitions=frozenset([(TOPIC, 0)])))
    rig.until(lambda: rig.consumer.paused == {0})
    seen = len(calls.begun)
    rig.go(200)
    assert len(calls.begun) == seen
    tell(rig, Halted())
    rig.until(lambda: rig.group.committed[0] == 2)


def test_quiet_begins_nothing_and_finishes_what_is_begun(rig: Rig, calls: Calls) -> None:
    calls.held = True
    write(rig, "a", "a")
    rig.until(lambda: len(calls.begun) == 1)
    rig.pulse.quiet = True
    calls.open_all()
    rig.until(lambda: rig.group.committed[0] == 1)
    rig.go(20)
    assert calls.begun == [(0, 0)]
    rig.pulse.quiet = False
    rig.until(lambda: rig.group.committed[0] == 2)


def test_a_revocation_waits_for_the_calls_of_the_partition_and_commits_them(rig: Rig, calls: Calls) -> None:
    calls.held = True
    write(rig, "a", "a")
    write(rig, "b", partition=1)
    rig.until(lambda: len(calls.begun) == 2)
    timer = threading.Timer(0.05, calls.let, [(0, 0)])
    timer.start()
    rig.group.news.append(("on_revoke", [0]))
    rig.until(lambda: 0 not in rig.consumer.positions)
    assert rig.group.committed[0] == 1
    assert calls.ended == [(0, 0)]
    calls.open_all()
    rig.until(lambda: rig.group.committed[1] == 1)
    assert (0, 1) not in calls.begun
    timer.join()


def test_what_ends_after_a_loss_counts_for_nothing_and_its_key_is_not_begun_beside_it(rig: Rig, calls: Calls) -> None:
    calls.held = True
    write(rig, "a", "b")
    rig.until(lambda: len(calls.begun) == 2)
    rig.group.news += [("on_lost", [0]), ("on_assign", [0])]
    rig.until(lambda: rig.group.asked.count("committed") >= 2)
    rig.go(30)
    assert len(calls.begun) == 2, "the partition's next epoch waits for what is under way of the last one"
    calls.let((0, 0))
    rig.until(lambda: len(calls.ended) == 1)
    rig.go(30)
    assert rig.group.committed[0] == 0
    assert len(calls.begun) == 2
    calls.open_all()
    rig.until(lambda: rig.group.committed[0] == 2)
    assert sorted(calls.begun) == [(0, 0), (0, 0), (0, 1), (0, 1)]


def test_a_record_that_must_run_alone_does(rig: Rig, calls: Calls) -> None:
    assert rig.session.engine is not None
    rig.session.engine.queues.alone = lambda task: task.offset == 2
    calls.held = True
    write(rig, "a", "b", "c", "d", "e")
    rig.until(lambda: len(calls.begun) == 2)
    rig.go(20)
    assert calls.begun == [(0, 0), (0, 1)]
    calls.let((0, 0))
    rig.until(lambda: len(calls.ended) == 1)
    rig.go(20)
    assert len(calls.begun) == 2
    calls.let((0, 1))
    rig.until(lambda: len(calls.begun) == 3)
    rig.go(20)
    assert calls.begun[2:] == [(0, 2)]
    calls.let((0, 2))
    rig.until(lambda: len(calls.begun) == 5)
    calls.open_all()
    rig.until(lambda: rig.group.committed[0] == 5)


@orders(max_in_flight=10, batch_size=4)
def test_what_waits_in_queues_counts_as_in_flight_and_a_partition_with_nothing_there_goes_on(
    rig: Rig, calls: Calls
) -> None:
    calls.held = True
    write(rig, *["hot"] * 40)
    rig.until(lambda: 0 in rig.consumer.paused)
    rig.go(5)
    assert rig.consumer.paused == {0}
    assert rig.session.engine is not None
    assert rig.session.engine.records <= 14
    write(rig, "x", partition=1)
    rig.until(lambda: (1, 0) in calls.begun)
    calls.open_all()
    rig.until(lambda: rig.group.committed == {0: 40, 1: 1})
    rig.until(lambda: rig.consumer.paused == set())
    assert [place for place in calls.begun if place[0] == 0] == [(0, offset) for offset in range(40)]


@orders(max_in_flight_bytes=30, batch_size=2)
def test_bytes_in_queues_count_as_well(rig: Rig, calls: Calls) -> None:
    calls.held = True
    write(rig, *["hot"] * 40)
    rig.until(lambda: 0 in rig.consumer.paused)
    assert rig.session.engine is not None
    assert 30 < rig.session.engine.bytes <= 45
    calls.open_all()
    rig.until(lambda: rig.group.committed[0] == 40)


def test_a_fault_of_ours_in_a_runner_ends_the_worker(rig: Rig, calls: Calls) -> None:
    assert rig.session.engine is not None
    rig.session.engine.end = lambda ending: (_ for _ in ()).throw(ZeroDivisionError("ours"))  # type: ignore[method-assign]
    write(rig, "a")
    with pytest.raises(CallbackError, match="ZeroDivisionError: ours"):
        rig.until(lambda: False)


def test_every_call_has_a_context_of_its_own_that_is_told_of_the_stop(rig: Rig, calls: Calls) -> None:
    calls.held = True
    calls.answer((0, 0), RuntimeError("x"))
    write(rig, "a", "b")
    rig.until(lambda: len(calls.begun) == 2)
    calls.let((0, 0))
    rig.until(lambda: len(calls.begun) == 3)
    assert sorted(calls.attempts) == [1, 1, 2]
    assert context().attempt == 1


def test_counters_are_those_of_one_call_after_the_other(rig: Rig, board: Board) -> None:
    write(rig, *[None] * 50)
    rig.until(lambda: rig.group.committed[0] == 50)
    rig.go(2)
    counters = counters_of(board)
    assert (counters["calls"], counters["handled"], counters["failed"]) == (50, 50, 0)
    assert counters["buffered"] == board.words[Counter.ACTIVE] == 0
