"""A broker with a small offset.metadata.max.bytes: offsets are committed all the same, with as much as it takes."""

from kherd.testing import ledger
from kherd.testing.kafka import KafkaCluster
from kherd.testing.notes import RESULTS, lose, noted, on_a_host
from kherd.testing.plugin import NewHerd, NewTopic
from kherd.testing.story import put, switch, wait_committed

BATCH = {"count": 1, "mode": "batch"}
SLOW = {"backoff_initial": 30, "backoff_max": 30}
RECORDS = 400
BAD = {number for number in range(100, RECORDS) if number * number % 7 == 2}
"""Too many, and too irregular, for 64 bytes."""


def test_what_has_no_room_is_left_out(kafka_tight: KafkaCluster, topic: NewTopic, herd: NewHerd) -> None:
    # Given a herd that has more to note than its broker takes
    name = topic(1, on=kafka_tight)
    put(kafka_tight, name, *[b"bad" if number in BAD else b"x" for number in range(RECORDS)])
    one = herd(on_a_host(kafka_tight, name, "one", workers=BATCH, errors=SLOW), RESULTS)

    # Then its commits arrive, at once without notes, and later with a part of them
    lowest = min(BAD)
    wait_committed(kafka_tight, one, name, {0: lowest})
    refused = one.wait_event("metadata_refused")
    assert refused["limit"] == refused["size"] // 2
    one.wait_event("metadata_refused", count=2)

    # and whoever goes on elsewhere loses nothing, and repeats nothing below the commit
    lose(kafka_tight, one)
    two = herd(on_a_host(kafka_tight, name, "two", workers=BATCH, errors={"backoff_initial": 0.1}), RESULTS)
    switch(two).turn_on()
    wait_committed(kafka_tight, two, name, {0: RECORDS})
    offsets = [entry.offset for entry in ledger.read(two.ledger).entries]
    assert set(offsets) == set(range(min(offsets), RECORDS))
    assert min(offsets) == lowest
    two.stop()
    assert noted(kafka_tight, two, name)[0] == RECORDS
