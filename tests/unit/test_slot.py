"""A slot: counters over all its processes, what hangs, and stacks without the frames that are ours."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kherd.supervisor.decide.child import Child, State
from kherd.supervisor.decide.suspension import Gap
from kherd.supervisor.process.handle import Handle
from kherd.supervisor.slot import Papers, Slot, stacks_file, without_inherited
from kherd.worker import clock
from kherd.worker.board import NONE, Board, Phase, StateWord
from kherd.worker.boardwriter import BoardWriter
from kherd.worker.counters import Counter
from kherd.worker.spec import SlotIdentity

STACKS = """Thread 0x00007f0000000001 (most recent call first):
  File "/app/orders.py", line 7 in handle
  File "/lib/kherd/worker/loop.py", line 90 in run
  File "/lib/kherd/worker/main.py", line 40 in run_worker
  File "/lib/kherd/worker/mold.py", line 120 in _be_worker
  File "/usr/bin/kherd", line 8 in <module>

Thread 0x00007f0000000002 (most recent call first):
  File "/app/orders.py", line 12 in background
  File "/usr/lib/python3.11/threading.py", line 975 in run"""


@pytest.fixture
def slot(tmp_path: Path) -> Iterator[Slot]:
    """Slot 3 with the papers of a process."""
    one = Slot(3, Handle("worker 3", 60.0), 1)
    one.papers = _papers(tmp_path / "first")
    yield one
    if one.papers is not None:
        one.papers.discard()


def _papers(path: Path) -> Papers:
    identity = SlotIdentity(1, 3, 1)
    board, fd = Board.create(path, identity, 1)
    os.close(fd)
    return Papers(identity, 1, board, path, stacks_file(3))


def _writer(slot: Slot) -> BoardWriter:
    assert slot.papers is not None
    return BoardWriter(slot.papers.board)


def test_frames_below_the_workers_own_are_left_out_of_every_thread() -> None:
    shown = without_inherited(STACKS).splitlines()
    assert [line for line in STACKS.splitlines() if line not in shown] == [
        '  File "/lib/kherd/worker/mold.py", line 120 in _be_worker',
        '  File "/usr/bin/kherd", line 8 in <module>',
    ]
    assert without_inherited("") == ""
    assert without_inherited("Thread 1:\n  File a, line 1 in f") == "Thread 1:\n  File a, line 1 in f"


def test_counters_go_on_over_processes_and_gauges_are_those_of_the_present_one(slot: Slot, tmp_path: Path) -> None:
    writer = _writer(slot)
    writer.add(Counter.HANDLED, 5)
    writer.put(Counter.ASSIGNED, 4)
    assert (slot.counters()["handled"], slot.counters()["assigned"]) == (5, 4)
    slot.fold()
    assert slot.papers is not None
    slot.papers.discard()
    slot.papers = None
    assert slot.counters()["handled"] == 5
    assert slot.counters().get("assigned", 0) == 0
    slot.papers = _papers(tmp_path / "second")
    _writer(slot).add(Counter.HANDLED, 2)
    assert slot.counters()["handled"] == 7


def test_discarded_papers_leave_no_file_and_no_descriptor(slot: Slot) -> None:
    papers = slot.papers
    assert papers is not None
    slot.papers = None
    papers.discard()
    assert not papers.board_path.exists()
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(papers.stacks)


def test_a_call_is_seen_by_topic_partition_and_offset_while_it_lasts(slot: Slot) -> None:
    writer = _writer(slot)
    assert slot.sight().calls == []
    writer.start_call(0, writer.topic("orders"), 2, 41, 41, 1)
    (call,) = slot.sight().calls
    assert (call.where, call.seconds >= 0) == ("orders[2]@41", True)
    writer.end_call(0)
    assert slot.sight().calls == []


def test_a_revocation_is_seen_while_it_lasts(slot: Slot) -> None:
    writer = _writer(slot)
    writer.phase(Phase.POLLING)
    assert slot.sight().revoking is None
    writer.phase(Phase.REVOKING)
    revoking = slot.sight().revoking
    assert revoking is not None
    assert revoking >= 0


def test_a_close_and_a_stuck_commit_and_a_join_are_seen_while_they_last(slot: Slot) -> None:
    writer = _writer(slot)
    seen = slot.sight()
    assert (seen.closing, seen.joining, seen.commit) == (None, None, 0.0)
    slot.handle.child = Child(State.JOINING, since=clock.monotonic() - 7)
    writer.phase(Phase.CLOSING)
    writer.put_waited(2.5)
    seen = slot.sight()
    assert seen.closing is not None
    assert seen.joining is not None
    assert seen.closing >= 0
    assert seen.joining >= 7
    assert seen.commit == 2.5


def test_time_that_does_not_count_is_not_seen(slot: Slot) -> None:
    writer, now = _writer(slot), clock.monotonic()
    writer.start_call(0, writer.topic("orders"), 2, 41, 41, 1)
    slot.handle.child = Child(State.JOINING, since=now - 7)
    seen = slot.sight([Gap(clock.monotonic(), 100.0)])
    assert seen.joining is not None
    assert (seen.calls[0].seconds < 1, seen.joining < 1) == (True, True)


def test_who_shows_no_heartbeat_at_two_looks_without_a_call_is_silent(slot: Slot) -> None:
    assert slot.papers is not None
    writer, words = _writer(slot), slot.papers.board.words
    words[StateWord.HEARTBEAT] = 1
    assert slot.sight().silent == 0.0
    assert slot.sight().silent > 0.0
    writer.beat()
    assert slot.sight().silent == 0.0


def test_who_comes_out_of_a_long_call_is_not_silent(slot: Slot) -> None:
    assert slot.papers is not None
    writer, words = _writer(slot), slot.papers.board.words
    words[StateWord.HEARTBEAT] = 1
    writer.start_call(0, writer.topic("orders"), 2, 41, 41, 1)
    assert slot.sight().silent == 0.0
    writer.end_call(0)
    assert slot.sight().silent == 0.0
    writer.start_call(0, writer.topic("orders"), 2, 42, 42, 1)
    assert slot.sight().silent == 0.0


class _Racing:
    """Board words whose worker enters the phase REVOKING between the reader's first and second look."""

    def __init__(self, words: memoryview) -> None:
        self._words, self._looks = words, 0

    def __getitem__(self, at: int | slice) -> Any:
        if isinstance(at, int) and at in {StateWord.PHASE, StateWord.PHASE_SINCE}:
            self._looks += 1
            if self._looks == 2:
                self._words[StateWord.PHASE_SINCE] = clock.monotonic_ns()
                self._words[StateWord.PHASE] = Phase.REVOKING
        return self._words[at]


def test_the_time_of_the_phase_before_is_never_taken_for_that_of_a_revocation(slot: Slot) -> None:
    assert slot.papers is not None
    board = slot.papers.board
    words = board.words
    words[StateWord.PHASE], words[StateWord.PHASE_SINCE] = Phase.POLLING, 0  # polling since the machine was started
    board.words = _Racing(words)  # type: ignore[assignment] # a reader indexes it, no more
    try:
        assert slot.sight().revoking is None
    finally:
        board.words = words


def test_stacks_are_told_once_and_when_they_are_whole(slot: Slot) -> None:
    papers = slot.papers
    assert papers is not None
    theirs = os.dup(papers.stacks)
    assert papers.stacks_text(finished=False) == ""
    os.write(theirs, b"Thread 1:\n  File a\n")
    assert papers.stacks_text(finished=False) == ""  # it may be writing still
    assert papers.stacks_text(finished=False) == "Thread 1:\n  File a"
    assert papers.stacks_text(finished=False) == ""
    os.write(theirs, b"Thread 2:\n")
    assert papers.stacks_text(finished=True) == "Thread 2:"
    assert papers.stacks_text(finished=True) == ""
    os.close(theirs)


def test_a_board_without_calls_shows_none(slot: Slot) -> None:
    assert slot.in_flight() == []
    assert _writer(slot).topic("x" * 10) != NONE


def test_the_load_is_how_busy_its_worker_was_lately(slot: Slot) -> None:
    writer = _writer(slot)
    for second in range(100):
        slot.note_load(float(second))
        writer.add(Counter.BUSY_NS, clock.NANOSECONDS // 2)
    assert 0.49 < slot.load <= 0.5
    for second in range(100, 110):
        slot.note_load(float(second))
    assert 0.1 < slot.load < 0.3
    slot.note_load(109.0)
    assert slot.load > 0
