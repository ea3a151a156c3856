"""Three killers in one batch are found one by one: each is put aside after three deaths of its own, no other is."""

from kherd.testing import ledger
from kherd.testing.killers import BATCH, DEATHS, again, deaths, expect, feed, origin, said, settle
from kherd.testing.plugin import NewHerd, NewTopic
from kherd.testing.results import count
from kherd.testing.story import tables
from kherd.testing.topics import Cluster

KINDS = {3: b"exit", 4: b"segfault", 30: b"kill"}
CALLED_ALONE = 40


def test_three_killers(kafka: Cluster, topic: NewTopic, herd: NewHerd) -> None:
    # Given a herd of one worker with large batches, and three killers, two of them neighbours
    name, number = topic(1), count(10_000, CALLED_ALONE)
    killers = {0: list(KINDS.items())}
    workers = {"count": 1, "mode": "batch", "batch_size": CALLED_ALONE, "batch_wait": 0.3}
    one = herd(tables(kafka, name, app={"instance": "here"}, workers=workers), BATCH)
    settle(kafka, one, name, 1, 1)

    # When they come in one batch
    feed(kafka, name, killers, number)
    letters = expect(kafka, one, name, killers, number, "three_in_one_batch")

    # Then the batch dies once, and each killer three times
    assert {origin(letter)[1]: letter.value() for letter in letters} == KINDS
    assert [said(letter)["__dlq.errors.delivery.count"] for letter in letters] == [str(DEATHS)] * len(KINDS)
    assert sum(deaths(one).values()) == 1 + DEATHS * len(KINDS)
    one.wait_ready(1)
    one.stop()
    assert again(one) == {}
    assert one.events("child_backoff") == []

    # and all others were handled in order
    offsets = [entry.offset for entry in ledger.read(one.ledger).entries if entry.note != "dies"]
    assert offsets == sorted(offsets)
