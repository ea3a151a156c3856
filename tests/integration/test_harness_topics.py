"""The harness gives every test a Kafka whose topics answer at once."""

from kherd.testing.plugin import NewTopic
from kherd.testing.topics import Cluster


def test_a_new_topic_answers_on_every_partition(kafka: Cluster, topic: NewTopic) -> None:
    assert kafka.ends(topic(3)) == {0: 0, 1: 0, 2: 0}
