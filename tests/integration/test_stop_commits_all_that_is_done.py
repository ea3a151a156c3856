"""A graceful stop in the middle of a backlog commits all that is done: the next run is delivered none of it again."""

import pytest

from kherd.testing.ledger import read
from kherd.testing.plugin import NewHerd, NewTopic
from kherd.testing.producing import fill
from kherd.testing.scenes import LEDGER, config, group, wait_handled, wait_settled
from kherd.testing.topics import Cluster
from kherd.testing.wait import until

WORKERS, PARTITIONS, COUNT = 3, 6, 60_000


@pytest.mark.parametrize(("mode", "protocol"), [("record", "classic"), ("batch", "consumer")])
def test_a_rerun_handles_nothing_again(
    kafka: Cluster, herd: NewHerd, topic: NewTopic, protocol: str, mode: str
) -> None:
    name = topic(PARTITIONS)
    source = LEDGER if mode == "record" else LEDGER.replace("LEDGER.write(message)", "LEDGER.write(*message)")
    one = herd(config(kafka, name, WORKERS, protocol=protocol, workers={"mode": mode}), source)
    wait_settled(one, WORKERS, PARTITIONS)
    fill(kafka.client_properties(), name, COUNT, partitions=PARTITIONS)
    until(lambda: len(read(one.ledger)) > COUNT // 100, 20, "work to be under way")
    one.stop()
    first = read(one.ledger)
    assert len(first) < COUNT, "the stop came too late to show anything"
    assert kafka.committed(group(one), name) == {partition: n for partition, n in first.counts(name).items() if n}
    one.start()
    produced = {partition: range(COUNT // PARTITIONS) for partition in range(PARTITIONS)}
    handled = wait_handled(one, name, produced)
    assert handled.duplicates() == {}
    assert handled.disorder() == []
    one.stop()
