"""A missing dead-letter topic is created like its source; regexes take up new topics and never a dead-letter topic."""

from pathlib import Path

import pytest

from kherd.testing.kafka import KafkaCluster
from kherd.worker.spec import DeadLetterSpec

from ..fakes.group import kafka_spec, liaison, produce, unique


@pytest.mark.kafka
def test_creation_and_regex(kafka: KafkaCluster, tmp_path: Path) -> None:
    prefix, group = unique("shop"), unique("herd")
    first, second = f"{prefix}.orders", f"{prefix}.refunds"
    template = f"{prefix}.dead.{{topic}}"
    kafka.create_topic(first, 5)
    with liaison(
        kafka_spec(kafka, group, f"^{prefix}\\..*"), tmp_path, dead_letter=DeadLetterSpec(template)
    ) as supervisor:
        ready = supervisor.until(lambda said: said["type"] == "ready")
        assert ready["topics"] == {first: 5}
        assert ready["dead_letter_topics"] == [f"{prefix}.dead.{first}"]
        kafka.create_topic(second, 2)
        changed = supervisor.until(lambda said: said["type"] == "topics")
        assert changed["topics"] == {first: 5, second: 2}

        produce(kafka, f"{prefix}.dead.{first}", 3, 7)
        supervisor.until(lambda said: said["type"] == "dead_letters" and said["count"] == 7)

    there = kafka.admin().list_topics(timeout=10).topics
    assert len(there[f"{prefix}.dead.{first}"].partitions) == 5
    assert len(there[f"{prefix}.dead.{second}"].partitions) == 2
