"""One commit in flight, answers that come late, callbacks that fail, a stop: on a fake group, step by step."""

from collections.abc import Iterator

import pytest

from kherd.worker import clock
from kherd.worker.board import Board, StateWord
from kherd.worker.boardview import partitions_of
from kherd.worker.commit import LONGEST_WAIT, STUCK_SECONDS
from kherd.worker.counters import Counter
from kherd.worker.kafka import CallbackError
from kherd.worker.pulse import Pulse

from ..fakes.rig import Rig


@pytest.fixture
def rig(board: Board) -> Iterator[Rig]:
    made = Rig(board, commit_interval=0.0)
    yield made
    made.close()


def test_an_exception_in_a_callback_is_raised_after_the_call_and_no_record_is_lost(rig: Rig) -> None:
    rig.group.write(0, b"x")
    rig.group.news.append(("on_assign", [0]))
    rig.session.membership.joined = lambda: 1 / 0  # type: ignore[method-assign,assignment]
    with pytest.raises(CallbackError, match="ZeroDivisionError"):
        rig.go()
    assert rig.seen == []
    assert rig.group.committed == {0: 0, 1: 0}


def test_a_late_answer_for_a_partition_that_is_not_ours_any_more_changes_nothing(rig: Rig, board: Board) -> None:
    rig.group.news.append(("on_assign", [0, 1]))
    rig.group.write(0, b"x")
    rig.group.silent = True
    rig.go()
    rig.group.news.append(("on_revoke", [0]))
    rig.go()
    assert rig.group.commits == [{0: 1}, {0: 1}]  # the second one said so synchronously
    rig.group.news.append(("on_assign", [0]))
    rig.group.silent = False
    rig.go()
    assert {view.partition: view.committed for view in partitions_of(board)} == {0: None, 1: None}
    assert not rig.session.committer.unanswered


def test_offsets_ride_on_the_next_commit_while_one_is_unanswered(rig: Rig) -> None:
    rig.group.news.append(("on_assign", [0, 1]))
    rig.group.write(0, b"x")
    rig.group.silent = True
    rig.go()
    for _ in range(3):
        rig.group.write(0, b"x")
        rig.group.write(1, b"x")
        rig.go()
    assert rig.group.commits == [{0: 1}]
    rig.group.silent = False
    rig.go()
    assert rig.group.commits == [{0: 1}, {0: 4, 1: 3}]


def test_a_stuck_commit_is_waited_for_in_time_that_calls_of_the_handler_do_not_count_to(rig: Rig, board: Board) -> None:
    # Given a commit without an answer
    rig.group.news.append(("on_assign", [0]))
    rig.group.write(0, b"x")
    rig.group.silent = True
    rig.go()
    committer, sent = rig.session.committer, clock.monotonic()
    assert committer.unanswered

    def waited() -> float:
        return board.words[StateWord.COMMIT_WAITED] / clock.NANOSECONDS

    # Then nothing is said of it as long as it is not stuck
    committer.tick(sent + STUCK_SECONDS / 2)
    assert waited() == 0.0
    # and then only what lies between two looks that are close to each other counts
    for seconds in (0.0, 0.5, 1.0, 1.5):
        committer.tick(sent + STUCK_SECONDS + 1 + seconds)
    assert abs(waited() - 1.5) < 0.01
    committer.tick(sent + 400)
    assert abs(waited() - 1.5 - LONGEST_WAIT) < 0.01
    # and nothing is left of it when the answer comes
    rig.group.silent = False
    rig.go()
    assert not committer.unanswered
    assert waited() == 0.0


def test_closing_commits_nothing_more(rig: Rig) -> None:
    rig.group.news.append(("on_assign", [0]))
    rig.group.write(0, b"x")
    rig.group.refusing = True
    rig.go()
    rig.group.refusing = False
    rig.session.rebalancer.closing = True
    rig.session.client.close()
    assert rig.group.commits == []
    assert len(rig.session.partitions) == 0


def test_a_stop_between_two_records_leaves_the_rest_unbegun(board: Board) -> None:
    rig = Rig(board)
    try:
        rig.group.news.append(("on_assign", [0]))
        for _ in range(10):
            rig.group.write(0, b"x")
        rig.session.handler.invoke = lambda message: rig.pulse.stop()
        rig.go(3)
        assert board.words[int(Counter.HANDLED)] == 1
        assert rig.session.inbox.records == 9
    finally:
        rig.close()


def test_a_signal_between_two_instructions_is_never_overwritten() -> None:
    pulse = Pulse()
    pulse.stop()
    pulse.next(10**18)
    assert pulse.due == 0
    assert pulse.stopped_at > 0
