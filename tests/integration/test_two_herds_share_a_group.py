"""Two herds of one app on one topic share its partitions; whether one is stopped or killed, nothing is lost."""

from kherd.supervisor.control.client import ControlError
from kherd.testing import ledger
from kherd.testing.herd import Herd
from kherd.testing.plugin import NewHerd, NewTopic
from kherd.testing.producing import Feeder
from kherd.testing.story import PRELUDE, tables
from kherd.testing.topics import Cluster
from kherd.testing.wait import until

HANDLER = f"""{PRELUDE}
def handle(message):
    LEDGER.write(message)
"""
SOON = {"session.timeout.ms": 3000}
"""After so long the group gives a whole host up that has died without a word; 45 s if nothing is said."""
ALL = {0, 1, 2, 3}


def test_two_herds(kafka: Cluster, topic: NewTopic, herd: NewHerd) -> None:
    # Given two herds with two workers each, and four partitions
    name = topic(len(ALL))

    def start(instance: str) -> Herd:
        app = {"name": f"h-{name[-8:]}", "instance": instance}
        kafka_table = {"static_membership": False, "consumer": SOON}
        return herd(tables(kafka, name, app=app, workers={"count": 2}, kafka=kafka_table), HANDLER)

    one, two = start("one"), start("two")
    with Feeder(kafka.client_properties(), name, 200, partitions=len(ALL)) as feeder:
        until(lambda: shared(one, two), 30, "an even share")

        # When one is stopped, then the other takes all over at once; when it is back, it has its share again
        two.stop()
        until(lambda: partitions(one) == ALL, 30, "the other herd to take all over")
        two.start()
        until(lambda: shared(one, two), 30, "an even share")

        # When it is killed with all its workers, then the same happens, after the session timeout
        two.kill()
        until(lambda: partitions(one) == ALL, 30, "the other herd to take all over")

    # and every record was handled by one of them
    produced = feeder.acknowledged
    until(lambda: not both(one, two).missing(name, produced), 30, "every record to be handled")
    one.wait_status(lambda status: status["lag"]["total"] == 0)
    one.stop()
    assert both(one, two).disorder() == []


def shared(one: Herd, two: Herd) -> bool:
    """Whether each has two partitions, and neither one that is just moving to the other."""
    ours, theirs = partitions(one), partitions(two)
    return len(ours) == len(theirs) == 2 and ours | theirs == ALL


def partitions(one: Herd) -> set[int]:
    try:
        return {place["partition"] for slot in one.status()["slots"] for place in slot["partitions"]}
    except ControlError:
        return set()


def both(one: Herd, two: Herd) -> ledger.Handled:
    entries = [*ledger.read(one.ledger).entries, *ledger.read(two.ledger).entries]
    return ledger.Handled(sorted(entries, key=lambda entry: entry.at))
