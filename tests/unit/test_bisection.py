"""A list that fails is tried again whole, then bisected: who fails alone is found, the rest is done once, in order."""

import math
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from kherd import BreakerOpen, ProcessingError, Skip
from kherd.worker.board import Board
from kherd.worker.counters import Counter
from kherd.worker.decide.halted import Halted
from kherd.worker.spec import ErrorSpec

from ..fakes.rig import Rig

ERRORS = ErrorSpec(max_attempts=3, backoff_initial=0.01, backoff_max=0.02, on_exhausted="dead_letter")
Place = tuple[int, int]


class BugError(Exception):
    pass


class Scene:
    """A worker whose handler fails as a whole with a list that holds anything `bad`; `done` is what it has handled."""

    def __init__(self, board: Board, *, bisect: bool = True) -> None:
        self.bad: dict[Place, BaseException] = {}
        self.all_bad: BaseException | None = None
        self.calls: list[list[Place]] = []
        self.done: list[Place] = []
        self.meanwhile: Callable[[list[Place]], object] = lambda given: None
        self.rig = Rig(board, handle=self._handle, mode="batch", batch_size=100, errors=ERRORS, bisect=bisect)
        self.rig.group.news.append(("on_assign", [0, 1]))

    def _handle(self, messages: list[Any]) -> None:
        given = [(message.partition(), message.offset()) for message in messages]
        self.calls.append(given)
        self.meanwhile(given)
        for one in given:
            if (error := self.all_bad or self.bad.get(one)) is not None:
                raise error
        self.done += given

    def write(self, *counts: int) -> None:
        for partition, count in enumerate(counts):
            for _ in range(count):
                self.rig.group.write(partition, b"x")

    def until_committed(self, *offsets: int) -> None:
        wanted = dict(enumerate(offsets))
        self.rig.until(lambda: self.agree() or self.rig.group.committed == wanted, str(wanted))

    def agree(self) -> None:
        """Be a supervisor that has every record put aside whose attempts are exhausted."""
        while (received := self.rig.ours.receive()) is not None:
            message, _ = received
            if message["type"] == "exhausted":
                where = {name: message[name] for name in ("topic", "partition", "offset")}
                self.rig.ours.send({"type": "put_aside", **where})
                self.rig.pulse.due = self.rig.session.desk._heard_at = 0.0

    @property
    def letters(self) -> list[Place]:
        headers = [dict(record.headers) for record in self.rig.producers.sent]
        return [(int(one["__dlq.errors.partition"] or b""), int(one["__dlq.errors.offset"] or b"")) for one in headers]

    def in_order(self) -> bool:
        return all(
            offsets == sorted(set(offsets))
            for number in (0, 1)
            for offsets in [[offset for partition, offset in self.done if partition == number]]
        )


@pytest.fixture
def scene(board: Board) -> Iterator[Scene]:
    made = Scene(board)
    yield made
    made.rig.close()


def test_poison_is_found_in_few_calls_and_everything_else_is_done_once_in_order(scene: Scene) -> None:
    scene.bad[0, 37] = ProcessingError("no order")
    scene.write(64)
    scene.until_committed(64, 0)
    assert scene.letters == [(0, 37)]
    assert scene.done == [(0, offset) for offset in range(64) if offset != 37]
    assert [len(call) for call in scene.calls[:2]] == [64, 64]
    assert len(scene.calls) - 2 <= 2 * math.log2(64) + 2


def test_a_list_that_goes_well_the_second_time_is_not_cut(scene: Scene) -> None:
    scene.all_bad = BugError("for now")
    scene.meanwhile = lambda given: setattr(scene, "all_bad", None) if len(scene.calls) == 2 else None
    scene.write(10, 5)
    scene.until_committed(10, 5)
    assert [len(call) for call in scene.calls] == [15, 15]


def test_what_fails_without_being_poison_is_retried_and_those_behind_it_wait_for_it(scene: Scene) -> None:
    scene.bad[0, 5] = BugError("for now")
    scene.write(10, 10)
    scene.rig.until(lambda: [(0, 5)] in scene.calls)
    scene.rig.until(lambda: len(scene.done) == 15)
    assert (0, 6) not in scene.done
    scene.bad.clear()
    scene.until_committed(10, 10)
    assert scene.letters == []
    assert scene.in_order()
    assert len(scene.done) == 20


def test_several_culprits_are_each_found(scene: Scene) -> None:
    bad = [(0, 0), (0, 1), (0, 20), (1, 3), (1, 31)]
    scene.bad |= {place: ProcessingError(str(place)) for place in bad[::2]}
    scene.bad |= {place: BugError(str(place)) for place in bad[1::2]}
    scene.write(32, 32)
    scene.until_committed(32, 32)
    assert sorted(scene.letters) == bad
    assert scene.in_order()
    assert len(scene.done) == 64 - len(bad)


def test_if_everything_fails_alike_nobody_is_blamed_and_it_goes_on_when_that_is_over(
    scene: Scene, board: Board
) -> None:
    scene.all_bad = BugError("a mistake in the handler")
    scene.write(8, 8)
    scene.rig.until(lambda: sum(len(call) == 16 for call in scene.calls) >= 2 * ERRORS.max_attempts)
    assert scene.letters == []
    assert board.words[Counter.HELD] == 0
    scene.all_bad = None
    scene.until_committed(8, 8)
    assert scene.letters == []
    assert scene.in_order()
    assert len(scene.done) == 16


def test_of_a_single_partition_the_first_record_is_blamed_after_all_attempts(scene: Scene) -> None:
    scene.bad[0, 0] = BugError("it is this one")
    scene.write(8)
    scene.until_committed(8, 0)
    assert scene.letters == [(0, 0)]
    assert scene.done == [(0, offset) for offset in range(1, 8)]
    assert sum(len(call) == 8 for call in scene.calls) == ERRORS.max_attempts


def test_a_process_that_handles_other_things_blames_the_first_record_at_once(scene: Scene) -> None:
    scene.bad[0, 0] = BugError("it is this one")
    scene.meanwhile = lambda given: scene.write(0, 1) if scene.calls == [given] else None
    scene.write(8)
    scene.rig.until(lambda: (1, 0) in scene.done)
    scene.until_committed(8, 1)
    assert scene.letters == [(0, 0)]
    assert scene.in_order()


def test_an_outage_in_the_middle_blames_nobody_and_what_was_done_stays_done(scene: Scene) -> None:
    scene.bad[0, 40] = BugError("for now")

    def outage(given: list[Place]) -> None:
        if len(scene.calls) == 5:
            raise BreakerOpen("db")

    scene.meanwhile = outage
    scene.write(64)
    scene.rig.until(lambda: [(0, 40)] in scene.calls)
    scene.bad.clear()
    scene.until_committed(64, 0)
    assert scene.letters == []
    assert scene.in_order()
    assert len(scene.done) == 64


def test_a_revoked_partition_drops_out_in_the_middle(scene: Scene) -> None:
    scene.bad[0, 3] = ProcessingError("no order")

    def revoke(given: list[Place]) -> None:
        if len(scene.calls) == 3:
            scene.rig.group.news.append(("on_revoke", [1]))
            scene.rig.consumer.poll(0)

    scene.meanwhile = revoke
    scene.write(8, 8)
    scene.rig.until(lambda: scene.rig.group.committed[0] == 8)
    assert scene.rig.group.committed[1] == 0
    assert not any((1, offset) in call for call in scene.calls[3:] for offset in range(8))


def test_a_stop_ends_it_between_two_calls(scene: Scene) -> None:
    scene.bad[0, 3] = ProcessingError("no order")
    scene.meanwhile = lambda given: scene.rig.pulse.stop() if len(scene.calls) == 4 else None
    scene.write(64)
    scene.rig.until(lambda: scene.rig.pulse.stopping)
    assert len(scene.calls) == 4
    assert scene.in_order()


def test_a_pause_by_an_operator_keeps_what_is_left_in_order(scene: Scene) -> None:
    scene.bad[0, 5] = ProcessingError("no order")

    def pause(given: list[Place]) -> None:
        if len(scene.calls) == 3:
            scene.rig.pulse.halted = Halted(topics=frozenset({"orders"}))

    scene.meanwhile = pause
    scene.write(64)
    scene.rig.until(lambda: len(scene.calls) >= 3)
    scene.rig.go(3)
    scene.rig.pulse.halted = Halted()
    scene.until_committed(64, 0)
    assert scene.letters == [(0, 5)]
    assert scene.in_order()


def test_a_list_that_is_to_be_skipped_is_skipped_record_by_record(scene: Scene) -> None:
    scene.all_bad = Skip()
    scene.write(4)
    scene.until_committed(4, 0)
    assert scene.letters == []


def test_without_bisection_a_failing_list_is_rerun_record_by_record(board: Board) -> None:
    scene = Scene(board, bisect=False)
    scene.bad[0, 3] = ProcessingError("no order")
    scene.write(8)
    scene.until_committed(8, 0)
    assert scene.letters == [(0, 3)]
    assert [len(call) for call in scene.calls] == [8] + [1] * 8
    scene.rig.close()
