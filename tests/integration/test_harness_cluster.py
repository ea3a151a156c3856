"""The harness' brokers are killed, frozen, cut off and brought back, and the cluster goes on as Kafka promises."""

from confluent_kafka import KafkaError, Producer

from kherd.testing.kafka import KafkaCluster
from kherd.testing.plugin import NewTopic
from kherd.testing.proxy import Cut
from kherd.testing.wait import until


def produce(cluster: KafkaCluster, topic: str, partition: int, *, seconds: float) -> KafkaError | None:
    """Return what became of one record within `seconds`."""
    answers: list[KafkaError | None] = []
    properties = {**cluster.client_properties(), "log_level": "0", "message.timeout.ms": str(int(seconds * 1000))}
    producer = Producer(properties)
    producer.produce(topic, b"x", partition=partition, on_delivery=lambda error, _: answers.append(error))
    assert producer.flush(seconds + 10) == 0
    return answers[0]


def leader(cluster: KafkaCluster, topic: str) -> int:
    """Return who leads the partition; the broker that is asked may be told of a new topic a moment later."""
    found = until(lambda: cluster.admin().list_topics(topic, timeout=10).topics[topic].partitions, 30, "the partition")
    return int(found[0].leader)


def test_a_killed_broker_hands_over_and_comes_back_in_sync(kafka3: KafkaCluster, topic: NewTopic) -> None:
    name = topic(1, on=kafka3)
    first = leader(kafka3, name)
    kafka3.kill(first)
    assert produce(kafka3, name, 0, seconds=30) is None
    assert leader(kafka3, name) != first
    kafka3.start(first)
    assert kafka3.ends(name) == {0: 1}
    found = kafka3.admin().list_topics(name, timeout=10).topics[name].partitions[0]
    assert sorted(found.isrs) == [1, 2, 3]


def test_a_frozen_broker_hands_over_and_is_healed_after_the_test(kafka3: KafkaCluster, topic: NewTopic) -> None:
    name = topic(1, on=kafka3)
    first = leader(kafka3, name)
    kafka3.pause(first)
    assert produce(kafka3, name, 0, seconds=30) is None
    kafka3.heal()
    until(lambda: len(kafka3.admin().list_topics(timeout=5).brokers) == 3, 30, "the frozen broker to be back")


def test_clients_cut_off_from_a_leader_wait_and_the_tests_own_admin_does_not(
    kafka3: KafkaCluster, topic: NewTopic
) -> None:
    name = topic(1, on=kafka3)
    first = leader(kafka3, name)
    kafka3.proxies[first].cut(Cut.BLACKHOLE)
    denied = produce(kafka3, name, 0, seconds=3)
    assert denied is not None
    assert denied.code() == KafkaError._MSG_TIMED_OUT
    assert kafka3.ends(name) == {0: 0}
    kafka3.proxies[first].heal()
    assert produce(kafka3, name, 0, seconds=30) is None


def test_a_delay_at_the_proxy_is_a_delay_of_the_broker(kafka3: KafkaCluster, topic: NewTopic) -> None:
    name = topic(1, on=kafka3)
    for proxy in kafka3.proxies.values():
        proxy.delay(0.2)
    assert produce(kafka3, name, 0, seconds=30) is None
    assert kafka3.ends(name) == {0: 1}
