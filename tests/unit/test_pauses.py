"""A worker whose operator pauses partitions: nothing of them is begun, and what was received of them is not lost."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from confluent_kafka import Message

from kherd.worker.board import Board
from kherd.worker.boardview import counters_of
from kherd.worker.counters import Counter
from kherd.worker.decide.halted import Halted, encode
from kherd.worker.spec import SlotIdentity

from ..fakes.consumer import TOPIC
from ..fakes.rig import Rig

ZERO = Halted(partitions=frozenset([(TOPIC, 0)]))


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    board, fd = Board.create(tmp_path / "board", SlotIdentity(1, 0, 1), 1)
    made = Rig(board, commit_interval=0.0, max_in_flight=6)
    yield made
    made.close()
    board.close()
    os.close(fd)


def tell(rig: Rig, halted: Halted) -> None:
    """Have the supervisor say so, and the worker hear of it at its next look."""
    rig.ours.send(encode(halted))
    rig.session.desk._heard_at = -1.0
    rig.pulse.due = 0


def write(rig: Rig, count: int = 3, partition: int = 0) -> None:
    for _ in range(count):
        rig.group.write(partition, b"x")


def test_a_pause_that_comes_before_the_assignment_holds(rig: Rig) -> None:
    tell(rig, ZERO)
    write(rig)
    write(rig, partition=1)
    rig.group.news.append(("on_assign", [0, 1]))
    rig.go()
    assert rig.seen == [(1, 0), (1, 1), (1, 2)]
    assert rig.consumer.paused == {0}
    tell(rig, Halted())
    rig.go()
    assert rig.seen[3:] == [(0, 0), (0, 1), (0, 2)]
    assert rig.consumer.paused == set()
    assert rig.group.committed == {0: 3, 1: 3}


def test_a_new_session_knows_it_before_it_is_assigned_anything(rig: Rig) -> None:
    rig.pulse.halted = ZERO
    rig.pulse.due = 1 << 62
    rig.session.join()
    write(rig)
    rig.group.news.append(("on_assign", [0, 1]))
    rig.go()
    assert rig.seen == []


def test_received_records_wait_in_order_and_nothing_else_waits_for_them(rig: Rig) -> None:
    # Given more records of partition 0 received than may be in flight, when it is paused
    rig.group.news.append(("on_assign", [0, 1]))
    rig.go(1)
    write(rig, 9)
    rig.session.fetcher.fetch(0)
    assert rig.session.inbox.records == 9
    tell(rig, ZERO)
    write(rig, 3, partition=1)
    rig.go()

    # Then partition 1 goes on, although what is kept of partition 0 is counted as in flight
    assert rig.seen == [(1, 0), (1, 1), (1, 2)]
    counters = counters_of(rig.session.board.board)
    assert (counters["buffered"], counters["paused"]) == (9, 1)
    assert rig.group.committed == {0: 0, 1: 3}

    # When it is resumed, then all of it is handled, in order
    tell(rig, Halted())
    write(rig)
    rig.go(20)
    assert rig.seen[3:] == [(0, offset) for offset in range(12)]
    assert rig.group.committed[0] == 12


def test_a_failed_record_of_a_paused_partition_is_not_tried_again_until_it_is_resumed(rig: Rig) -> None:
    rig.group.news.append(("on_assign", [0, 1]))
    write(rig)
    calls = []

    def fail(message: object) -> None:
        calls.append(message)
        if len(calls) == 1:
            raise OSError("down")

    rig.session.handler.invoke = fail
    rig.session.handler.call = lambda message: fail(message) or ()  # type: ignore[method-assign]
    rig.go(2)
    assert len(calls) == 1
    tell(rig, Halted(everything=True))
    rig.go(1)
    partition = rig.session.partitions.blocked[TOPIC, 0]
    partition.troubles[0].due = 0.0
    assert rig.session.retrier.wait(1.0) is None
    rig.go()
    assert len(calls) == 1
    tell(rig, Halted())
    rig.go(20)
    assert len(calls) == 4
    assert rig.group.committed[0] == 3


def test_of_two_batches_that_come_back_the_earlier_records_go_first(rig: Rig) -> None:
    rig.group.news.append(("on_assign", [0]))
    messages = [Message(topic=TOPIC, partition=0, offset=offset, value=b"x") for offset in range(4)]
    tell(rig, ZERO)
    rig.go(1)
    partition = rig.session.partitions.get(TOPIC, 0)
    assert partition is not None
    partition.keep(messages[2:])
    partition.keep(messages[:2])
    tell(rig, Halted())
    rig.go()
    assert rig.seen == [(0, offset) for offset in range(4)]


def test_a_pause_outlives_a_rebalance(rig: Rig) -> None:
    rig.group.news.append(("on_assign", [0, 1]))
    tell(rig, Halted(topics=frozenset([TOPIC])))
    rig.go()
    rig.group.pauses_last = False
    rig.group.news += [("on_revoke", [0]), ("on_assign", [0])]
    rig.go(2)
    write(rig)
    rig.go()
    assert (rig.seen, rig.consumer.paused) == ([], {0, 1})
    assert rig.session.board.words[int(Counter.PAUSED)] == 2
