"""A board file whose rows are random words is ignored: the herd begins at the commit, and starts."""

import os

from kherd.testing.handovers import GATED, SELDOM, die_at, go_on, offsets_of
from kherd.testing.ledger import read
from kherd.testing.plugin import NewHerd, NewTopic
from kherd.testing.scenes import config
from kherd.testing.story import committed, handled, put
from kherd.testing.topics import Cluster
from kherd.worker.board import STATE


def test_a_spoilt_board_is_no_board(kafka: Cluster, topic: NewTopic, herd: NewHerd) -> None:
    # Given a herd that died with 20 records done, which only its board tells
    name = topic(1)
    put(kafka, name, *[b"go"] * 20, b"wait", b"go")
    one = herd(config(kafka, name, 1, delivery=SELDOM), GATED)
    before = die_at(one, 20)
    start = committed(kafka, one, name).get(0, 0)
    assert start < 20

    # When all but the header of its file is overwritten, and the herd starts again
    (board,) = (one.state / "board").iterdir()
    with board.open("r+b") as file:
        file.seek(STATE * 8)
        file.write(os.urandom(board.stat().st_size - STATE * 8))
    go_on(one)

    # Then it begins at the commit
    handled(one, len(before) + 22 - start)
    assert offsets_of(read(one.ledger), name, since=len(before)) == list(range(start, 22))
    assert one.events("handed_over") == []
    assert one.events("internal_error") == []
    one.stop()
