"""What another member of the group has committed while the herd was down is where the herd begins, not its board."""

from confluent_kafka import TopicPartition

from kherd.testing.consuming import Member
from kherd.testing.handovers import GATED, SELDOM, die_at, dissolve, go_on, offsets_of
from kherd.testing.ledger import read
from kherd.testing.plugin import NewHerd, NewTopic
from kherd.testing.scenes import config, group
from kherd.testing.story import handled, put
from kherd.testing.topics import Cluster


def test_another_members_commit_is_obeyed(kafka: Cluster, topic: NewTopic, herd: NewHerd) -> None:
    # Given a herd that died with 20 records done, which only its board tells
    name = topic(1)
    one = herd(config(kafka, name, 1, delivery=SELDOM), GATED)
    put(kafka, name, *[b"go"] * 20, b"wait", b"go")
    before = die_at(one, 20)

    # When a member on another host takes over and commits 8, with metadata of a worker there
    dissolve(kafka, one)
    with Member(kafka.client_properties(), group(one), [name], protocol="classic") as other:
        other.until(lambda: other.partitions, "the partition")
        row = TopicPartition(name, 0, 8, "kherd1;nonce=00000000000000ff")
        other.consumer.commit(offsets=[row], asynchronous=False)
    go_on(one)

    # Then the herd begins at 8
    handled(one, len(before) + 14)
    assert offsets_of(read(one.ledger), name, since=len(before)) == list(range(8, 22))
    assert one.events("handed_over") == []
    one.stop()
