"""Beginning an assignment: at the commit, where a dead worker's board says, or not yet."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from kherd.worker import clock, heritage
from kherd.worker.board import Board
from kherd.worker.boardentries import entries_of
from kherd.worker.counters import Counter
from kherd.worker.decide.handover import METADATA, Commit, Entry, identity_of

from ..fakes.consumer import TOPIC
from ..fakes.rig import Rig

ID, OTHER = "11" * 16, "22" * 16
DEAD = Entry(TOPIC, 0, 77, identity_of("c", ID), 5, 0, Commit(None), 4, 4, 7)


@pytest.fixture
def rig(board: Board) -> Iterator[Rig]:
    """Ten records each, of which 4 of the first partition are committed by a worker that died having done 7."""
    made = Rig(board, commit_interval=60.0)
    for _ in range(10):
        made.group.write(0, b"x")
        made.group.write(1, b"x")
    made.group.committed[0], made.group.metadata[0] = 4, METADATA.format(5)
    yield made
    made.close()


def tell(rig: Rig, *entries: Entry, topic_id: str = ID, at: float | None = None) -> None:
    """Tell what a supervisor tells."""
    for message in heritage.orphans(entries):
        rig.ours.send(message)
    asked = clock.monotonic() if at is None else at
    for message in heritage.identities({TOPIC: identity_of("c", topic_id)}, asked):
        rig.ours.send(message)


def assign(rig: Rig, *numbers: int, rounds: int = 10) -> None:
    rig.group.news.append(("on_assign", list(numbers)))
    rig.go(rounds)


def asked(rig: Rig) -> list[Any]:
    """What the worker has asked the supervisor."""
    found = []
    while (received := rig.ours.receive()) is not None:
        if received[0]["type"] == "identify":
            found.append(received[0]["topics"])
    return found


def test_the_next_owner_goes_on_where_the_dead_one_was_and_commits_that_at_once(rig: Rig, board: Board) -> None:
    tell(rig, DEAD)
    assign(rig, 0, 1, rounds=1)
    assert rig.group.commits == [{0: 7}]
    rig.go()
    assert [offset for number, offset in rig.seen if number == 0] == [7, 8, 9]
    assert board.words[Counter.HANDED_OVER] == 3


@pytest.mark.parametrize(
    ("offset", "nonce"), [(4, None), (2, 5), (5, 5), (4, 6)], ids=["rewound", "older", "further", "another's"]
)
def test_another_commit_than_its_own_wins(rig: Rig, offset: int, nonce: int | None) -> None:
    rig.group.committed[0], rig.group.metadata[0] = offset, "" if nonce is None else METADATA.format(nonce)
    tell(rig, DEAD)
    assign(rig, 0)
    assert rig.seen[0] == (0, offset)


def test_a_log_that_was_cut_and_a_new_leader_win(rig: Rig) -> None:
    rig.group.epochs[0] = 1
    tell(rig, DEAD)
    assign(rig, 0)
    assert rig.seen[0] == (0, 4)


def test_a_recreated_topic_wins(rig: Rig) -> None:
    tell(rig, DEAD, topic_id=OTHER)
    assign(rig, 0)
    assert rig.seen[0] == (0, 4)


def test_of_several_the_furthest_is_followed(rig: Rig) -> None:
    tell(rig, DEAD, replace(DEAD, done=9), replace(DEAD, done=8))
    assign(rig, 0)
    assert rig.seen == [(0, 9)]


def test_old_knowledge_of_the_topic_is_asked_for_again_and_the_others_go_on(rig: Rig) -> None:
    tell(rig, DEAD, at=clock.monotonic() - 60)
    assign(rig, 0, 1)
    assert {number for number, _ in rig.seen} == {1}
    assert rig.consumer.paused == {0}
    assert [TOPIC] in asked(rig)
    tell(rig, DEAD)
    rig.go()
    assert [offset for number, offset in rig.seen if number == 0] == [7, 8, 9]
    assert rig.consumer.paused == set()


def test_knowledge_that_never_comes_is_waited_for_only_so_long(rig: Rig) -> None:
    tell(rig, DEAD, at=clock.monotonic() - 60)
    assign(rig, 0)
    assert rig.seen == []
    for wait in rig.session.handover._waits.values():
        wait.since -= 60
    rig.go()
    assert rig.seen[0] == (0, 4)


def test_a_log_that_was_looked_up_at_the_assignment_is_not_asked_for_again(rig: Rig) -> None:
    tell(rig, DEAD, at=clock.monotonic() - 60)
    assign(rig, 0)
    tell(rig, DEAD)
    rig.go()
    assert rig.seen[0] == (0, 7)
    assert rig.group.asked.count("starts") == 1


def test_a_leader_that_does_not_answer_is_asked_again_seldom(rig: Rig) -> None:
    rig.group.failing["ends"] = True
    tell(rig, DEAD)
    assign(rig, 0, rounds=20)
    assert rig.seen == []
    assert rig.group.asked.count("ends") == 2  # at the assignment, and in the first turn after it
    rig.group.failing.clear()
    rig.session.handover._retry_at = 0.0
    rig.go()
    assert rig.seen[0] == (0, 7)


def test_where_nothing_is_committed_it_begins_at_the_start_of_the_log_that_was_looked_up(rig: Rig) -> None:
    rig.group.committed[0], rig.group.metadata[0], rig.group.starts[0] = None, "", 2
    tell(rig, replace(DEAD, base=Commit(None), sent=None, acked=None), at=clock.monotonic() - 60)
    assign(rig, 0)
    assert rig.consumer._chosen == {0: 2}
    tell(rig, replace(DEAD, base=Commit(None), sent=None, acked=None))
    rig.go()
    assert rig.seen[0] == (0, 7)


def test_what_is_committed_is_never_guessed_and_the_others_go_on(rig: Rig) -> None:
    tell(rig, DEAD)
    assign(rig, 1)
    rig.seen.clear()
    rig.group.failing["committed"] = True
    rig.group.write(1, b"x")
    assign(rig, 0)
    assert rig.seen == [(1, 10)]
    assert rig.consumer.paused == {0}
    rig.group.failing.clear()
    rig.session.handover._retry_at = 0.0
    rig.go()
    assert [offset for number, offset in rig.seen if number == 0] == [7, 8, 9]


def test_a_partition_that_is_lost_while_it_waits_is_forgotten(rig: Rig) -> None:
    rig.group.failing["committed"] = True
    assign(rig, 0)
    rig.group.news.append(("on_lost", [0]))
    rig.go()
    assert not rig.session.handover.holding
    assert rig.seen == []


def test_a_paused_partition_is_handed_over_too_and_stays_paused(rig: Rig) -> None:
    tell(rig, DEAD, at=clock.monotonic() - 60)
    rig.ours.send({"type": "paused", "everything": False, "topics": [], "partitions": {TOPIC: [0]}})
    assign(rig, 0)
    tell(rig, DEAD)
    rig.go()
    assert rig.seen == []
    assert rig.group.committed[0] == 7


def test_the_board_says_what_the_next_owner_must_know(rig: Rig, board: Board) -> None:
    rig.group.silent = True
    tell(rig)
    assign(rig, 0)
    (entry,) = entries_of(board)
    assert (entry.topic, entry.partition, entry.done) == (TOPIC, 0, 10)
    assert entry.identity == identity_of("c", ID)
    assert entry.base == Commit(4, 5)
    assert entry.epoch == 0
    assert (entry.sent, entry.acked) == (10, None)
    rig.group.silent = False
    rig.go()
    assert entries_of(board) == []


def test_a_revoked_or_lost_partition_leaves_no_entry(rig: Rig, board: Board) -> None:
    rig.group.refusing = True
    tell(rig)
    assign(rig, 0, 1)
    assert len(entries_of(board)) == 2
    rig.group.news += [("on_revoke", [0]), ("on_lost", [1])]
    rig.go(2)
    assert entries_of(board) == []


def test_the_first_answer_counts_for_the_board_and_is_asked_for(rig: Rig, board: Board) -> None:
    rig.group.silent = True
    assign(rig, 0)
    assert asked(rig) == [[TOPIC]]
    assert entries_of(board)[0].identity is None
    tell(rig, topic_id=ID)
    rig.session.handover._names._look_at = 0.0
    rig.session.desk._heard_at = 0.0
    rig.pulse.due = 0
    rig.go(3)
    assert entries_of(board)[0].identity == identity_of("c", ID)
    tell(rig, topic_id=OTHER)
    rig.session.desk._heard_at = 0.0
    rig.pulse.due = 0
    rig.go(3)
    assert entries_of(board)[0].identity == identity_of("c", ID)
