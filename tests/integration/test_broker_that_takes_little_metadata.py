"""A broker with a small offset.metadata.max.bytes: offsets are committed all the same, with as much as it takes."""

from kherd.testing import ledger
from kherd.testing.kafka import KafkaCluster
from kherd.testing.notes import RESULTS, lose, metadata, on_a_host, wait_noted
from kherd.testing.plugin import NewHerd, NewTopic
from kherd.testing.story import put, switch, wait_committed
from kherd.worker.decide.offsets import between

BATCH = {"count": 1, "mode": "batch"}
SLOW = {"backoff_initial": 30, "backoff_max": 30}
RECORDS = 400
BAD = {number for number in range(100, RECORDS) if number * number % 7 == 2}
"""Too many, and too irregular, for 100 bytes."""


def test_what_has_no_room_is_left_out(kafka_tight: KafkaCluster, topic: NewTopic, herd: NewHerd) -> None:
    # Given a herd that has more to note than its broker takes
    name = topic(1, on=kafka_tight)
    put(kafka_tight, name, *[b"bad" if number in BAD else b"x" for number in range(RECORDS)])
    one = herd(on_a_host(kafka_tight, name, "one", workers=BATCH, errors=SLOW), RESULTS)

    # Then its commits arrive, at once without notes, and soon with a part of them
    lowest = min(BAD)
    known = wait_noted(kafka_tight, one, name, lambda offset, known: offset == lowest and known.done)
    refused = one.events("metadata_refused")
    assert [event["limit"] for event in refused] == [event["size"] // 2 for event in refused]
    assert len(metadata(kafka_tight, one, name)) <= 100 < refused[-1]["size"]

    # and whoever goes on elsewhere loses nothing, and repeats only what was left out
    lose(kafka_tight, one)
    two = herd(on_a_host(kafka_tight, name, "two", workers=BATCH, errors={"backoff_initial": 0.1}), RESULTS)
    switch(two).turn_on()
    wait_committed(kafka_tight, two, name, {0: RECORDS})
    offsets = [entry.offset for entry in ledger.read(two.ledger).entries]
    assert set(offsets) == set(between(lowest, (*known.done, (RECORDS, RECORDS))))
    assert len(offsets) == len(set(offsets))
    two.stop()
