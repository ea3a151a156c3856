"""kafka.start = "latest": where a partition begins is committed before its first record is handled."""

from collections.abc import Iterator

import pytest

from kherd.worker import clock
from kherd.worker.board import Board
from kherd.worker.boardview import partitions_of

from ..fakes.rig import Rig


@pytest.fixture
def rig(board: Board) -> Iterator[Rig]:
    made = Rig(board, start="latest", commit_interval=60.0)
    made.group.committed = {0: None, 1: None}
    for _ in range(3):
        made.group.write(0, b"old")
    yield made
    made.close()


def test_the_end_at_the_assignment_is_committed_though_nothing_comes(rig: Rig, board: Board) -> None:
    rig.group.news.append(("on_assign", [0, 1]))
    rig.go()
    assert rig.group.commits == [{0: 3, 1: 0}]
    assert rig.consumer.positions == {0: 3, 1: 0}
    assert {view.partition: view.committed for view in partitions_of(board)} == {0: 3, 1: 0}
    assert not rig.session.starts.open


def test_a_later_assignment_does_not_wait_for_the_commit_interval(rig: Rig) -> None:
    rig.group.news.append(("on_assign", [0]))
    rig.go()
    rig.group.news.append(("on_assign", [1]))
    rig.go()
    assert rig.group.commits == [{0: 3}, {1: 0}]


def test_a_partition_with_a_commit_goes_on_there_and_commits_only_what_it_has_done(rig: Rig) -> None:
    rig.group.committed = {0: 1, 1: 0}
    rig.group.news.append(("on_assign", [0, 1]))
    rig.go()
    assert rig.group.asked == ["committed", "ends"]  # the second for the leaders' epochs
    assert rig.group.commits == [{0: 3}]
    assert rig.seen == [(0, 1), (0, 2)]


def test_no_record_is_handled_before_its_start_is_committed(rig: Rig) -> None:
    rig.group.silent = True
    rig.group.news.append(("on_assign", [0]))
    rig.go(1)
    rig.group.write(0, b"new")
    rig.go()
    assert (rig.group.commits, rig.seen) == ([{0: 3}], [])
    rig.group.silent = False
    rig.go()
    assert rig.seen == [(0, 3)]


def test_a_commit_that_is_not_answered_holds_records_up_for_a_moment_only(rig: Rig) -> None:
    rig.group.silent = True
    rig.group.news.append(("on_assign", [0]))
    rig.go(1)
    rig.group.write(0, b"new")
    rig.session.starts._hold_until = clock.monotonic()
    rig.go()
    assert rig.seen == [(0, 3)]


def test_without_an_answer_the_first_record_is_the_start_and_is_committed_before_it_is_handled(rig: Rig) -> None:
    rig.group.failing["ends"] = True
    rig.group.news.append(("on_assign", [0]))
    rig.go(1)
    assert rig.group.commits == []
    rig.group.write(0, b"new")
    seen_at_commit: list[int] = []
    commit = rig.consumer.commit

    def committing(**said: object) -> object:
        seen_at_commit.append(len(rig.seen))
        return commit(**said)  # type: ignore[arg-type]

    rig.consumer.commit = committing  # type: ignore[method-assign,assignment]
    rig.go()
    assert rig.group.commits[0] == {0: 3}
    assert seen_at_commit[0] == 0
    assert rig.seen == [(0, 3)]


def test_without_an_answer_the_end_is_looked_up_again_and_counts_when_it_has_stood_still(rig: Rig) -> None:
    rig.group.failing["ends"] = True
    rig.group.news.append(("on_assign", [0]))
    rig.go(1)
    again(rig)
    rig.group.failing.clear()
    again(rig)
    assert rig.group.commits == []
    again(rig)
    assert rig.group.commits == [{0: 3}]
    assert not rig.session.starts.open


def test_a_partition_that_turns_out_to_have_a_commit_is_left_alone(rig: Rig) -> None:
    rig.group.failing["committed"] = True
    rig.group.news.append(("on_assign", [0]))
    rig.go(1)
    rig.group.failing.clear()
    rig.group.committed[0] = 2
    again(rig)
    assert rig.group.commits == []
    assert not rig.session.starts.open


def test_a_partition_that_is_given_up_is_not_looked_up_any_more(rig: Rig) -> None:
    rig.group.failing["committed"] = True
    rig.group.news.append(("on_assign", [0]))
    rig.go(1)
    rig.group.news.append(("on_revoke", [0]))
    rig.go(2)
    assert not rig.session.starts.open


@pytest.mark.parametrize("start", ["earliest", "error"])
def test_any_other_start_commits_nothing(board: Board, start: str) -> None:
    rig = Rig(board, start=start)
    rig.group.committed = {0: None, 1: None}
    rig.group.news.append(("on_assign", [0, 1]))
    rig.go()
    assert (rig.group.asked, rig.group.commits) == (["committed", "ends"], [])
    rig.close()


def again(rig: Rig) -> None:
    """Have the next try be due, and go round."""
    rig.session.starts._retry_at = rig.session.handover._retry_at = clock.monotonic()
    rig.go(2)
