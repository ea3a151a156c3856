"""`kherd restart` has all static workers run the code on disk, one by one, with no rebalance and nothing lost."""

import pytest

from kherd.testing.generations import generation
from kherd.testing.plugin import NewHerd, NewTopic
from kherd.testing.producing import Feeder
from kherd.testing.rescale import kherd
from kherd.testing.scenes import group, shares, wait_handled, wait_settled
from kherd.testing.topics import Cluster
from kherd.testing.trial import since, tables, version, wait_versions

WORKERS, PARTITIONS, RATE = 3, 6, 300


@pytest.mark.parametrize("protocol", ["classic", "consumer"])
def test_no_generation_of_the_group_is_added(kafka: Cluster, herd: NewHerd, topic: NewTopic, protocol: str) -> None:
    name = topic(PARTITIONS)
    one = herd(tables(kafka, name, WORKERS, protocol=protocol), version("old"))
    before = wait_settled(one, WORKERS, PARTITIONS)
    rounds = generation(kafka, group(one))
    with Feeder(kafka.client_properties(), name, RATE, partitions=PARTITIONS) as feeder:
        wait_versions(one, 0, PARTITIONS, "old")
        one.write_handler(version("new"))
        asked = kherd(one, "restart")
        assert asked.returncode == 0, asked.stderr
        assert [line for line in asked.stdout.splitlines() if "worker 0" in line or "all workers" in line]
        after = wait_settled(one, WORKERS, PARTITIONS)
        assert {slot["generation"] for slot in after["slots"]} == {2}
        assert not {slot["pid"] for slot in after["slots"]} & {slot["pid"] for slot in before["slots"]}
        assert shares(after) == shares(before)
        wait_versions(one, len(since(one, 0)), PARTITIONS, "new")
    assert generation(kafka, group(one)) == rounds, "the group has rebalanced"
    handled = wait_handled(one, name, feeder.acknowledged)
    assert handled.duplicates() == {}
    assert handled.disorder() == []
    assert one.status()["rollbacks"] == 0
    one.stop()
