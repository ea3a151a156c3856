from typing import Any

import pytest

from kherd.supervisor.children.liaison.mailbox import Mailbox
from kherd.supervisor.children.liaison.topics import PATIENCE_EMBEDDED, RETRY, TopicWatch
from kherd.supervisor.children.spec import LiaisonSpec
from kherd.worker.spec import DeadLetterSpec, KafkaSpec

from ..fakes.cluster import FakeCluster


class Watch:
    """A TopicWatch on a fake cluster at a time of its own."""

    def __init__(self, *topics: str, embedded: bool = False, dead_letter: DeadLetterSpec | None = None) -> None:
        kafka = KafkaSpec("b:9092", "g", topics, embedded=embedded)
        self.now = 0.0
        self.cluster = FakeCluster()
        self.mailbox = Mailbox()
        spec = LiaisonSpec("app", kafka, 2, dead_letter or DeadLetterSpec())
        self.watch = TopicWatch(spec, self.cluster, self.mailbox, lambda: self.now)

    def look(self) -> tuple[float, list[dict[str, Any]]]:
        due = self.watch.look()
        return due, list(self.mailbox.take())


def test_dead_letter_topics_are_created_with_the_partitions_and_replicas_of_their_source() -> None:
    watch = Watch("orders")
    watch.cluster.add("orders", 6, 3)
    due, (ready,) = watch.look()
    created = watch.cluster.existing["dlq.orders"]
    assert (created.partitions, created.replication) == (6, 3)
    assert (ready["type"], ready["topics"], ready["dead_letter_topics"]) == ("ready", {"orders": 6}, ["dlq.orders"])
    assert due == 30.0


def test_nothing_is_said_while_nothing_changes_and_growth_is_a_change() -> None:
    watch = Watch("orders")
    watch.cluster.add("orders", 6)
    watch.look()
    assert watch.look()[1] == []
    watch.cluster.add("orders", 8)
    _, (changed,) = watch.look()
    assert (changed["type"], changed["topics"]) == ("topics", {"orders": 8})


def test_a_missing_source_is_named_and_looked_for_soon() -> None:
    watch = Watch("orders", "late")
    watch.cluster.add("orders", 6)
    due, (ready,) = watch.look()
    assert due == RETRY
    assert set(ready["missing"]) == {"late"}
    watch.cluster.add("late", 1)
    _, (changed,) = watch.look()
    assert changed["topics"] == {"orders": 6, "late": 1}
    assert changed["missing"] == {}


def test_a_regex_that_matches_nothing_yet_is_missing_too() -> None:
    watch = Watch("^orders\\..*")
    _, (ready,) = watch.look()
    assert ready["missing"]


def test_a_refused_creation_is_reported_and_not_fatal() -> None:
    watch = Watch("orders")
    watch.cluster.add("orders", 6)
    watch.cluster.failing["create_topic"] = "TOPIC_AUTHORIZATION_FAILED"
    _, (ready,) = watch.look()
    assert ready["dead_letter_topics"] == []
    assert "TOPIC_AUTHORIZATION_FAILED" in ready["missing"]["dlq.orders"]


def test_creation_can_be_switched_off() -> None:
    watch = Watch("orders", dead_letter=DeadLetterSpec(create=False))
    watch.cluster.add("orders", 6)
    _, (ready,) = watch.look()
    assert "create_topic" not in watch.cluster.calls
    assert "dlq.orders" in ready["missing"]


def test_one_dead_letter_topic_for_all_is_as_large_as_the_largest_source() -> None:
    watch = Watch("a", "b", dead_letter=DeadLetterSpec(topic="dead"))
    watch.cluster.add("a", 3)
    watch.cluster.add("b", 7)
    watch.look()
    assert watch.cluster.existing["dead"].partitions == 7


def test_the_embedded_broker_is_asked_once_and_ready_waits_for_it() -> None:
    watch = Watch("orders", embedded=True)
    watch.cluster.add("orders", 4)
    _, (asked,) = watch.look()
    assert asked == {"type": "create_topic", "topic": "dlq.orders", "partitions": 4}
    assert watch.look()[1] == []
    watch.cluster.add("dlq.orders", 4)
    _, (ready,) = watch.look()
    assert (ready["type"], ready["missing"]) == ("ready", {})
    assert "create_topic" not in watch.cluster.calls


def test_the_embedded_broker_is_not_waited_for_for_ever() -> None:
    watch = Watch("orders", embedded=True)
    watch.look()
    watch.now = PATIENCE_EMBEDDED
    _, (ready,) = watch.look()
    assert set(ready["missing"]) == {"orders"}


@pytest.mark.parametrize("count", [10_000])
def test_a_regex_over_thousands_of_topics_still_fits_into_a_message(count: int) -> None:
    watch = Watch("^t")
    for index in range(count):
        watch.cluster.add(f"t{index:0200d}", 1)
        watch.cluster.add(f"dlq.t{index:0200d}", 1)
    _, (ready,) = watch.look()
    assert ready["partitions"] == count
    assert len(watch.watch.topics) == count
