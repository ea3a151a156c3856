"""A topic that was deleted and created again while the herd was down is read from its beginning."""

from kherd.testing.handovers import GATED, SELDOM, die_at, go_on, offsets_of
from kherd.testing.ledger import read
from kherd.testing.plugin import NewHerd, NewTopic
from kherd.testing.scenes import config
from kherd.testing.story import handled, put
from kherd.testing.topics import Cluster
from kherd.testing.wait import until


def test_a_new_topic_of_the_same_name_is_another_one(kafka: Cluster, topic: NewTopic, herd: NewHerd) -> None:
    # Given a herd of a new group that died before its first commit, with 20 records done
    name = topic(1)
    one = herd(config(kafka, name, 1, delivery=SELDOM), GATED)
    put(kafka, name, *[b"go"] * 20, b"wait", b"go")
    before = die_at(one, 20)

    # When the topic is created anew, with as many records
    kafka.delete_topic(name)
    until(lambda: name not in kafka.admin().list_topics(timeout=10).topics, 10, "the topic to be gone")
    kafka.create_topic(name, 1)
    put(kafka, name, *[b"go"] * 25)
    go_on(one)

    # Then all of them are handled
    handled(one, len(before) + 25)
    assert offsets_of(read(one.ledger), name, since=len(before)) == list(range(25))
    assert one.events("handed_over") == []
    one.stop()
