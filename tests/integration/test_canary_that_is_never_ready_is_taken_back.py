"""A canary whose handler is never built is killed when its start takes too long, and taken back; its stacks say why."""

import signal

from kherd.testing.plugin import NewHerd, NewTopic
from kherd.testing.producing import Feeder
from kherd.testing.scenes import standings, wait_handled, wait_settled
from kherd.testing.topics import Cluster
from kherd.testing.trial import roll, since, tables, version, wait_roll, wait_versions

WORKERS, PARTITIONS, RATE = 2, 4, 200


def test_the_old_code_goes_on(kafka: Cluster, topic: NewTopic, herd: NewHerd) -> None:
    name = topic(PARTITIONS)
    made = tables(kafka, name, WORKERS)
    one = herd(made, version("old"))
    before = standings(wait_settled(one, WORKERS, PARTITIONS))
    with Feeder(kafka.client_properties(), name, RATE, partitions=PARTITIONS) as feeder:
        wait_versions(one, 0, PARTITIONS, "old")
        one.write_handler(version("new", at_build="threading.Event().wait()"))
        one.configure({**made, "workers": {**made["workers"], "batch_size": 100, "start_timeout": "4s"}})
        one.signal(signal.SIGHUP)
        status = wait_roll(one, "rolled_back")
        assert (
            "worker 0, the canary, could not go on: killed by kherd: it did not boot in time" in roll(status)["reason"]
        )
        assert "handlers.py" in one.wait_event("child_stacks", child="worker 0")["stacks"]
        after = standings(wait_settled(one, WORKERS, PARTITIONS))
        assert (after[0][3], after[1]) == (before[0][3], before[1])
        wait_versions(one, len(since(one, 0)), PARTITIONS, "old")
    handled = wait_handled(one, name, feeder.acknowledged)
    assert handled.duplicates() == {}
    assert {entry.note for entry in handled.entries} == {"old"}
    one.stop()
