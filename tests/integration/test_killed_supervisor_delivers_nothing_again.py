"""kill -9 of the supervisor, commits 5 s apart: the next one's workers begin where the dead ones were."""

import pytest

from kherd.testing.handovers import PATIENCE, SELDOM, wait_identified
from kherd.testing.ledger import read
from kherd.testing.plugin import NewHerd, NewTopic
from kherd.testing.producing import Feeder
from kherd.testing.results import count, report
from kherd.testing.scenes import LEDGER, config, wait_handled, wait_settled
from kherd.testing.topics import Cluster
from kherd.testing.wait import until

WORKERS, PARTITIONS, RATE = 2, 4, 300


@pytest.mark.parametrize("protocol", ["classic", "consumer"])
def test_a_killed_supervisor_costs_what_was_in_flight(
    kafka: Cluster, topic: NewTopic, herd: NewHerd, protocol: str
) -> None:
    name, number = topic(PARTITIONS), count(15, 1)
    one = herd(config(kafka, name, WORKERS, protocol=protocol, delivery=SELDOM), LEDGER)
    wait_settled(one, WORKERS, PARTITIONS)
    wait_identified(one, PARTITIONS)
    with Feeder(kafka.client_properties(), name, RATE, partitions=PARTITIONS) as feeder:
        for _ in range(number):
            before = len(read(one.ledger))
            until(lambda before=before: len(read(one.ledger)) > before + RATE, PATIENCE, "work")  # type: ignore[misc]
            one.kill()
            one.start()
            wait_settled(one, WORKERS, PARTITIONS)
    handled = wait_handled(one, name, feeder.acknowledged, PATIENCE)
    again = handled.duplicates(name)
    delivered_again = sum(again.values()) - len(again)
    over, refused = one.events("handed_over"), [event["reason"] for event in one.events("not_handed_over")]
    found = {"kills": number, "records": len(handled), "delivered_again": delivered_again, "refused": refused}
    report(f"handover_supervisor_{protocol}", found)
    assert delivered_again <= number * WORKERS
    assert len(over) >= number
    one.stop()
