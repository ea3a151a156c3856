import json

import pytest

from kherd.supervisor.children.liaison.lag import MAX_ROWS, DeadLetterCount, Reader, Sweeper, chunks, keys_of
from kherd.supervisor.children.liaison.mailbox import Mailbox
from kherd.supervisor.decide.lag import Position, Sweep, extend, measure, parse
from kherd.supervisor.decide.topics import Topic
from kherd.worker.channel import MAX_MESSAGE

from ..fakes.cluster import FakeCluster

KEY = ("orders", 0)


@pytest.fixture
def cluster() -> FakeCluster:
    return FakeCluster()


def sweeper(cluster: FakeCluster, mailbox: Mailbox, topics: list[Topic]) -> Sweeper:
    return Sweeper(Reader(cluster, "g"), mailbox, lambda: tuple(topics))


def test_committed_offsets_are_read_before_the_ends(cluster: FakeCluster) -> None:
    cluster.fill(KEY, start=2, end=10, committed=4)
    positions, reason = Reader(cluster, "g").read([KEY])
    assert cluster.calls == ["committed", "ends", "starts"]
    assert (positions, reason) == ([Position("orders", 0, 4, 10, 2)], None)


def test_log_starts_are_read_now_and_then_only(cluster: FakeCluster) -> None:
    cluster.fill(KEY, end=10, committed=4)
    now = [0.0]
    reader = Reader(cluster, "g", lambda: now[0])
    for _ in range(5):
        now[0] += 10
        reader.read([KEY])
    assert cluster.calls.count("starts") == 1
    now[0] += 60
    reader.read([KEY])
    assert cluster.calls.count("starts") == 2


def test_a_topic_made_anew_has_its_log_start_read_anew(cluster: FakeCluster) -> None:
    cluster.fill(KEY, start=1000, end=1010)
    reader = Reader(cluster, "g", lambda: 1.0)
    reader.read([KEY])
    cluster.fill(KEY, start=0, end=10)
    (position,), _ = reader.read([KEY])
    assert position.log_start == 0


@pytest.mark.parametrize("call", ["committed", "ends", "starts"])
def test_a_failed_read_is_unknown_and_never_zero(cluster: FakeCluster, call: str) -> None:
    cluster.fill(KEY, end=10, committed=10)
    cluster.failing[call] = "broker gone"
    positions, reason = Reader(cluster, "g").read([KEY])
    assert reason == "broker gone"
    assert measure(positions, "latest").total is None


def test_a_partial_read_is_unknown_in_sum_and_keeps_what_was_read(cluster: FakeCluster) -> None:
    cluster.fill(KEY, end=10, committed=4)
    cluster.fill(("orders", 1), end=10, committed=4)
    cluster.lost = {("orders", 1)}
    positions, reason = Reader(cluster, "g").read([KEY, ("orders", 1)])
    assert reason == "a partition is lost"
    assert [lag for _, lag in measure(positions, "earliest").partitions] == [6, None]
    assert measure(positions, "earliest").total is None


def test_a_sweep_reports_every_partition_in_parts_that_fit(cluster: FakeCluster) -> None:
    topics = [Topic("t" * 249, 2500, 1)]
    for key in keys_of(topics):
        cluster.fill(key, start=2**62, end=2**63 - 1, committed=2**62)
    mailbox = Mailbox()
    assert sweeper(cluster, mailbox, topics).sweep() == 2500
    messages = list(mailbox.take())
    assert [message["last"] for message in messages] == [False] * (len(messages) - 1) + [True]
    joined: Sweep | None = None
    for message in messages:
        assert len(json.dumps(message)) <= MAX_MESSAGE
        assert len(message["partitions"]) <= MAX_ROWS
        joined = extend(joined, parse(message))
    assert joined is not None
    assert [(row.topic, row.partition) for row in joined.positions] == keys_of(topics)


def test_a_sweep_without_topics_is_invalid_not_zero(cluster: FakeCluster) -> None:
    mailbox = Mailbox()
    sweeper(cluster, mailbox, []).sweep()
    (message,) = mailbox.take()
    assert (message["valid"], message["last"], message["partitions"]) == (False, True, [])


def test_sweeps_are_numbered(cluster: FakeCluster) -> None:
    mailbox = Mailbox()
    lag = sweeper(cluster, mailbox, [])
    lag.sweep()
    lag.sweep()
    assert [message["sweep"] for message in mailbox.take()] == [1, 2]


def test_dead_letters_are_what_the_dlq_group_has_not_dealt_with(cluster: FakeCluster) -> None:
    mailbox = Mailbox()
    count = DeadLetterCount(Reader(cluster, "g.dlq"), mailbox, lambda: (Topic("dlq.orders", 2, 1),))
    cluster.fill(("dlq.orders", 0), start=3, end=10, committed=None, group="g.dlq")
    cluster.fill(("dlq.orders", 1), start=0, end=10, committed=6, group="g.dlq")
    count.count()
    count.count()
    assert [message["count"] for message in mailbox.take()] == [11]
    cluster.failing["ends"] = "gone"
    count.count()
    assert [message["count"] for message in mailbox.take()] == [None]


def test_chunks_of_nothing_are_none() -> None:
    assert list(chunks([])) == []
