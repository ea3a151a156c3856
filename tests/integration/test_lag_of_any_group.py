"""`kherd lag` tells the lag of a group that kherd does not run, and of a herd that is down, from the brokers alone."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Consumer, ConsumerGroupTopicPartitions, Producer, TopicPartition

from kherd.testing.kafka import KafkaCluster
from kherd.testing.plugin import NewHerd, NewTopic
from kherd.testing.scenes import config, wait_settled
from kherd.testing.story import put

from ..fakes.group import produce, unique


def kherd_lag(*arguments: object, code: int = 0) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "kherd", "lag", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == code, done
    return done


def document(*arguments: object, code: int = 0) -> Any:
    return json.loads(kherd_lag(*arguments, "--json", code=code).stdout)


def lags(found: Any) -> dict[tuple[str, int], int | None]:
    return {(row["topic"], row["partition"]): row["lag"] for row in found["partitions"]}


def commit(kafka: KafkaCluster, group: str, *offsets: TopicPartition) -> None:
    """Commit for a group without members."""
    admin = kafka.admin()
    admin.alter_consumer_group_offsets([ConsumerGroupTopicPartitions(group, list(offsets))])[group].result(10)


@pytest.mark.kafka
def test_a_plain_consumer_group(kafka: KafkaCluster, topic: NewTopic) -> None:
    # Given a group of confluent-kafka's plain consumer, which has read some of one topic, and is running
    first, second, group = topic(3), topic(1), unique("plain")
    for partition, count in enumerate([30, 20, 10]):
        produce(kafka, first, partition, count)
    produce(kafka, second, 0, 7)
    commit(kafka, group, TopicPartition(first, 0, 12), TopicPartition(first, 1, 5))
    admin = kafka.admin()
    for future in admin.delete_records([TopicPartition(first, 1, 8), TopicPartition(first, 2, 4)]).values():
        future.result(10)
    asked = ("--bootstrap", kafka.bootstrap, "--group", group)

    # Then its lag is that of the topics that it has committed; what is deleted is none, what is not committed is all
    found = document(*asked)
    assert lags(found) == {(first, 0): 18, (first, 1): 12, (first, 2): 6}
    assert (found["valid"], found["total"], found["topics"]) == (True, 36, {first: {"lag": 36, "partitions": 3}})
    assert document(*asked, "--start", "latest")["total"] == 18 + 12
    assert lags(document(*asked, "--topic", second, "--start", "earliest")) == {(second, 0): 7}
    table = kherd_lag(*asked).stdout
    assert table.startswith("lag 36  measured ")
    assert ["12", "0", "30", "18"] in [line.split()[2:] for line in table.splitlines()]

    # When it goes on, then that shows
    consumer = Consumer({**kafka.client_properties(), "group.id": group, "enable.auto.commit": False})
    consumer.assign([TopicPartition(first, 0, 12)])
    consumer.commit(offsets=[TopicPartition(first, 0, 30)], asynchronous=False)
    consumer.close()
    assert document(*asked)["total"] == 12 + 6


@pytest.mark.kafka
def test_an_open_transaction_ends_what_a_group_may_read(kafka: KafkaCluster, topic: NewTopic) -> None:
    name, group = topic(1), unique("plain")
    produce(kafka, name, 0, 10)
    commit(kafka, group, TopicPartition(name, 0, 4))
    producer = Producer({**kafka.client_properties(), "transactional.id": unique("writer")})
    producer.init_transactions(30)
    producer.begin_transaction()
    producer.produce(name, b"open")
    assert producer.flush(30) == 0
    asked = ("--bootstrap", kafka.bootstrap, "--group", group)
    assert document(*asked)["total"] == 6
    assert document(*asked, "-X", "isolation.level=read_uncommitted")["total"] == 7
    producer.abort_transaction(30)


@pytest.mark.kafka
def test_a_herd_that_is_down(kafka: KafkaCluster, topic: NewTopic, herd: NewHerd) -> None:
    # Given a herd that has handled three records, and stopped before two more came
    name, group = topic(2), unique("other")
    one = herd(config(kafka, name, 1))
    wait_settled(one, 1, 2)
    put(kafka, name, b"1", b"2", b"3")
    one.wait_status(lambda status: status["totals"]["handled"] == 3)
    one.stop()
    put(kafka, name, b"4", b"5")

    # Then its file is enough to ask the brokers, and so it is for another group
    told = kherd_lag("-c", one.config)
    assert told.stdout.startswith("lag 2 ")
    assert "no herd of" in told.stderr
    commit(kafka, group, TopicPartition(name, 0, 1))
    assert lags(document("-c", one.config, "--group", group)) == {(name, 0): 4, (name, 1): 0}


@pytest.mark.kafka
def test_watching(kafka: KafkaCluster, topic: NewTopic) -> None:
    name, group = topic(1), unique("plain")
    produce(kafka, name, 0, 3)
    commit(kafka, group, TopicPartition(name, 0, 0))
    with watching(kafka, group) as lines:
        assert json.loads(next(lines))["total"] == 3
        produce(kafka, name, 0, 2)
        assert any(json.loads(next(lines))["total"] == 5 for _ in range(5))


@contextmanager
def watching(kafka: KafkaCluster, group: str) -> Iterator[Iterator[str]]:
    command = [sys.executable, "-m", "kherd", "lag", "--bootstrap", kafka.bootstrap, "--group", group]
    with subprocess.Popen([*command, "--watch", "--json"], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield process.stdout
        finally:
            process.kill()


@pytest.mark.kafka
def test_a_wrong_name_is_told_and_never_shown_as_a_lag(kafka: KafkaCluster, topic: NewTopic) -> None:
    name, group = topic(1), unique("nobody")
    produce(kafka, name, 0, 3)
    told = kherd_lag("--bootstrap", kafka.bootstrap, "--group", group, code=1)
    assert f"group '{group}' has committed nothing" in told.stderr
    assert told.stdout == ""
    told = kherd_lag("--bootstrap", kafka.bootstrap, "--group", group, "--topic", name, code=1)
    assert f"has committed nothing on {name}" in told.stderr
    told = kherd_lag("--bootstrap", kafka.bootstrap, "--group", group, "--topic", "typo", code=1)
    assert f"there is no topic typo at {kafka.bootstrap}" in told.stderr


@pytest.mark.kafka
def test_a_secured_cluster_wants_a_login(kafka_secured: KafkaCluster) -> None:
    name, group = kafka_secured.create_topic(unique("topic"), 1), unique("plain")
    commit(kafka_secured, group, TopicPartition(name, 0, 0))
    properties = kafka_secured.client_properties()
    bootstrap = properties.pop("bootstrap.servers")
    login = [word for name, value in properties.items() for word in ("-X", f"{name}={value}")]
    assert document("--bootstrap", bootstrap, "--group", group, *login)["total"] == 0
    wrong = [*login, "-X", "sasl.password=wrong"]
    told = kherd_lag("--bootstrap", bootstrap, "--group", group, *wrong, code=1).stderr
    assert "no broker of" in told
    assert "uthentication" in told


def test_brokers_that_do_not_answer_are_told_in_bounded_time(tmp_path: Path) -> None:
    told = kherd_lag("--bootstrap", "127.0.0.1:1", "--group", "g", code=1)
    assert "no broker of 127.0.0.1:1 answers" in told.stderr
    assert "Connection refused" in told.stderr
