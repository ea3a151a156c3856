"""Metadata that another program has committed is neither read nor trusted: the offset counts, and a warning says so."""

from kherd.testing import ledger
from kherd.testing.handovers import dissolve
from kherd.testing.notes import commit, metadata, on_a_host
from kherd.testing.plugin import NewHerd, NewTopic
from kherd.testing.story import PRELUDE, handled, put, wait_committed
from kherd.testing.topics import Cluster

HANDLER = f"""{PRELUDE}
def handle(message):
    LEDGER.write(message)
"""


def test_another_programs_metadata(kafka: Cluster, topic: NewTopic, herd: NewHerd) -> None:
    # Given commits by another program, as Kafka Streams writes them, and by a damaged one of our own
    name = topic(1)
    put(kafka, name, *[b"x"] * 9)
    one = herd(on_a_host(kafka, name, "one"), HANDLER)
    wait_committed(kafka, one, name, {0: 9})
    assert metadata(kafka, one, name).startswith("kherd1;nonce=")
    one.stop()
    dissolve(kafka, one)
    commit(kafka, one, name, 7, "AgAAAZKv3nA=")

    # When a herd goes on there, then it begins at that offset, says so once, and replaces it
    one.start()
    wait_committed(kafka, one, name, {0: 9})
    assert one.wait_event("metadata_foreign")["partition"] == 0
    one.stop()
    dissolve(kafka, one)
    commit(kafka, one, name, 8, "kherd2;0123456789abcdefghijklmnop")
    one.start()
    handled(one, 12)
    wait_committed(kafka, one, name, {0: 9})
    assert one.wait_event("metadata_ignored")["topic"] == name
    assert metadata(kafka, one, name).startswith("kherd1;nonce=")
    one.stop()
    assert [entry.offset for entry in ledger.read(one.ledger).entries] == [*range(9), 7, 8, 8]
    assert len(one.events("metadata_foreign")) == 1
