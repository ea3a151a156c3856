"""Offsets that transactions have taken, or compaction has freed, hold no commit up: not above it, not after a move."""

from confluent_kafka import Producer

from kherd.testing import ledger
from kherd.testing.kafka import KafkaCluster
from kherd.testing.notes import RESULTS, lose, on_a_host, wait_noted
from kherd.testing.plugin import NewHerd, NewTopic
from kherd.testing.reading import read
from kherd.testing.story import put, switch, wait_committed
from kherd.testing.topics import Cluster
from kherd.testing.wait import until

BATCH = {"count": 1, "mode": "batch", "batch_wait": 0.5}
SLOW = {"backoff_initial": 30, "backoff_max": 30}
SOON = {"backoff_initial": 0.1}


def test_of_transactions(kafka: Cluster, topic: NewTopic, herd: NewHerd) -> None:
    # Given records in transactions, of which each leaves a marker behind, and one is taken back
    name = topic(1)
    producer = Producer({**kafka.client_properties(), "transactional.id": name})
    producer.init_transactions(10)
    for values in ([b"0", b"bad"], [b"gone"], [b"5", b"6"], [b"8"], [b"bad", b"11"]):
        producer.begin_transaction()
        for value in values:
            producer.produce(name, value, partition=0)
        producer.flush(10)
        if values == [b"gone"]:
            producer.abort_transaction(10)
        else:
            producer.commit_transaction(10)
    one = herd(on_a_host(kafka, name, "one", workers=BATCH, errors=SLOW), RESULTS)
    wait_noted(kafka, one, name, lambda offset, known: offset == 1 and {1, 10} == set(known.attempts))

    # When the host is lost, then the next one does what was left, passes the markers, and the last one of all
    lose(kafka, one)
    two = herd(on_a_host(kafka, name, "two", workers=BATCH, errors=SOON), RESULTS)
    switch(two).turn_on()
    wait_committed(kafka, two, name, {0: 12})
    assert [entry.offset for entry in ledger.read(one.ledger).entries] == [0, 1, 5, 6, 8, 10, 11]
    assert [entry.offset for entry in ledger.read(two.ledger).entries] == [1, 10]
    put(kafka, name, b"13")
    wait_committed(kafka, two, name, {0: 14})
    two.stop()


def test_of_compaction(kafka_tight: KafkaCluster, topic: NewTopic, herd: NewHerd) -> None:
    # Given a herd that has left two records of a topic that is compacted
    settings = {"cleanup_policy": "compact", "segment_ms": "100", "min_cleanable_dirty_ratio": "0.001"}
    name = topic(1, on=kafka_tight, **settings)
    for number, value in enumerate([b"0", b"bad", b"2", b"bad", b"4"]):
        put(kafka_tight, name, value, key=b"%d" % number)
    one = herd(on_a_host(kafka_tight, name, "one", workers=BATCH, errors=SLOW), RESULTS)
    known = wait_noted(kafka_tight, one, name, lambda offset, known: offset == 1 and known.done)
    assert known.done == ((2, 3), (4, 5))
    lose(kafka_tight, one)

    # When compaction takes one of them, and some that were done, while nobody is there
    put(kafka_tight, name, b"5", key=b"1")
    put(kafka_tight, name, b"6", key=b"2")
    until(lambda: _compacted(kafka_tight, name), 30, "compaction")

    # Then what is left of them is done, the rest is not done again, and no commit waits for what is gone
    two = herd(on_a_host(kafka_tight, name, "two", workers=BATCH, errors=SOON), RESULTS)
    switch(two).turn_on()
    end = kafka_tight.ends(name)[0]
    wait_committed(kafka_tight, two, name, {0: end})
    offsets = [entry.offset for entry in ledger.read(two.ledger).entries]
    assert offsets[0] == 3
    assert not {0, 1, 2, 4} & set(offsets)
    two.stop()


def _compacted(cluster: Cluster, name: str) -> bool:
    """Roll the segment, for the last one is never compacted, and look whether the record at 1 is gone."""
    put(cluster, name, b"more", key=b"more")
    return 1 not in {message.offset() for message in read(cluster, name)}
