"""While everything is paused no lag asks for more workers; resumed, the herd grows and handles all once, in order."""

from kherd.testing.ledger import read
from kherd.testing.plugin import NewHerd, NewTopic
from kherd.testing.producing import fill
from kherd.testing.rescale import kherd
from kherd.testing.scenes import config, wait_settled
from kherd.testing.topics import Cluster
from kherd.testing.wait import until

PARTITIONS, RECORDS, HIGH = 4, 4000, 1000
PATIENCE = 60.0
HANDLER = """
import time
from kherd.testing.ledger import Ledger

LEDGER = Ledger(LEDGER_PATH)

def handle(messages):
    LEDGER.write(*messages)
    time.sleep(0.05)
"""


def test_a_paused_herd_is_left_alone_by_its_lag(kafka: Cluster, herd: NewHerd, topic: NewTopic) -> None:
    # Given one worker that may become four, everything of it paused
    name = topic(PARTITIONS)
    tables = config(
        kafka, name, 1, protocol="consumer",
        workers={"count": 1, "mode": "batch", "batch_size": 10},
        lag={"interval": 0.2}, autoscale={"max": 4, "lag_above": HIGH},
    )  # fmt: skip
    one = herd(tables, HANDLER)
    wait_settled(one, 1, PARTITIONS)
    asked = kherd(one, "pause")
    assert (asked.returncode, asked.stdout[:25]) == (0, "paused: everything since "), asked

    # When much arrives, then nothing is handled, the lag is true, and the herd stays as it is
    fill(kafka.client_properties(), name, RECORDS, partitions=PARTITIONS)
    one.wait_status(lambda status: status["lag"]["total"] == RECORDS)
    reason = "everything is paused by an operator"
    one.wait_status(lambda status: held(status["autoscale"]["decisions"], reason) >= 5, what="five readings held")
    assert (one.status()["workers"]["wanted"], len(read(one.ledger))) == (1, 0)

    # When a part is to be resumed, then it is refused, and what to do is said
    asked = kherd(one, "resume", name)
    assert asked.returncode == 1
    assert "everything is paused as a whole" in asked.stderr
    assert len(read(one.ledger)) == 0

    # When it is resumed, then the herd grows, and all of it is handled
    assert kherd(one, "resume").stdout == "nothing is paused\n"
    one.wait_status(lambda status: status["workers"]["wanted"] == 4, what="four workers")
    until(lambda: len(read(one.ledger).records) == RECORDS, PATIENCE, "every record to be handled")
    done = read(one.ledger)
    assert done.duplicates() == {}
    assert done.disorder() == []
    one.stop()


def held(decisions: list[dict[str, object]], reason: str) -> int:
    """Return how many readings came to nothing for that reason."""
    return sum(int(str(one["readings"])) for one in decisions if one["reason"] == reason)
