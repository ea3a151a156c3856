"""Static members stay in the group over a stop, and leave it at once by `kherd stop --leave` or stop.leave."""

import pytest

from kherd.testing.herd import Herd
from kherd.testing.plugin import NewHerd, NewTopic
from kherd.testing.rescale import kherd
from kherd.testing.scenes import LEDGER, config, group, members, wait_settled
from kherd.testing.topics import Cluster

WORKERS, PARTITIONS = 2, 4


@pytest.mark.parametrize("protocol", ["classic", "consumer"])
def test_members_stay_unless_told_to_leave(kafka: Cluster, herd: NewHerd, topic: NewTopic, protocol: str) -> None:
    name = topic(PARTITIONS)
    tables = config(kafka, name, WORKERS, protocol=protocol)
    one = herd(tables, LEDGER)
    app = one.settings["app"]["name"]
    everybody = {f"{app}-here-{slot}" for slot in range(WORKERS)}
    wait_settled(one, WORKERS, PARTITIONS)
    assert members(kafka, group(one)) == everybody
    one.stop()
    assert members(kafka, group(one)) == everybody
    one.start()
    wait_settled(one, WORKERS, PARTITIONS)
    _stop_by_command(one, "--leave")
    assert members(kafka, group(one)) == set()
    tables["app"]["name"] = app
    one.configure({**tables, "stop": {"leave": True}})
    one.start()
    wait_settled(one, WORKERS, PARTITIONS)
    one.stop()
    assert members(kafka, group(one)) == set()


def _stop_by_command(one: Herd, *words: str) -> None:
    asked = kherd(one, "stop", *words)
    assert (asked.returncode, asked.stdout.strip()) == (0, "stopped"), asked
    one.wait_end()
