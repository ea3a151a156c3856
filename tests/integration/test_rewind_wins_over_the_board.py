"""An operator who sets the offsets back while the herd is down has every record from there on handled again."""

from kherd.testing.handovers import GATED, SELDOM, alter, die_at, go_on, offsets_of
from kherd.testing.ledger import read
from kherd.testing.plugin import NewHerd, NewTopic
from kherd.testing.scenes import config
from kherd.testing.story import handled, put
from kherd.testing.topics import Cluster


def test_a_rewind_is_obeyed(kafka: Cluster, topic: NewTopic, herd: NewHerd) -> None:
    # Given a herd that died with 20 records done, which only its board tells
    name = topic(1)
    one = herd(config(kafka, name, 1, delivery=SELDOM), GATED)
    put(kafka, name, *[b"go"] * 20, b"wait", b"go")
    before = die_at(one, 20)
    assert offsets_of(before, name) == list(range(21))

    # When an operator sets the offset to 5, and the herd starts again
    alter(kafka, one, name, {0: 5})
    go_on(one)

    # Then it begins at 5, and says why it does not go on where it was
    handled(one, len(before) + 17)
    assert offsets_of(read(one.ledger), name, since=len(before)) == list(range(5, 22))
    assert one.wait_event("not_handed_over")["offset"] == 20
    assert one.events("handed_over") == []
    one.stop()
