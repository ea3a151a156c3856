"""Who is killed, or comes, while a new generation is tried runs the old code, whatever is on the disk by then."""

import os
import signal

from kherd.testing.plugin import NewHerd, NewTopic
from kherd.testing.producing import Feeder
from kherd.testing.rescale import kherd
from kherd.testing.scenes import wait_handled, wait_settled
from kherd.testing.topics import Cluster
from kherd.testing.trial import roll, since, tables, version, wait_roll, wait_versions

WORKERS, PARTITIONS, RATE = 3, 6, 200


def test_it_does(kafka: Cluster, topic: NewTopic, herd: NewHerd) -> None:
    # Given a herd whose first worker tries new code
    name = topic(PARTITIONS)
    made = tables(kafka, name, WORKERS, reload={"settle": 60})
    one = herd(made, version("old"))
    wait_settled(one, WORKERS, PARTITIONS)
    with Feeder(kafka.client_properties(), name, RATE, partitions=PARTITIONS) as feeder:
        wait_versions(one, 0, PARTITIONS, "old")
        one.write_handler(version("new"))
        one.configure({**made, "workers": {"count": WORKERS, "batch_size": 100}})
        one.signal(signal.SIGHUP)
        status = wait_roll(one, "settling")
        canary = {one["partition"] for slot in status["slots"] for one in slot["partitions"] if slot["slot"] == 0}

        # When another one is killed, and one more is asked for
        os.kill(one.worker_pids()[2], signal.SIGKILL)
        one.wait_event("child_died", child="worker 2")
        assert kherd(one, "scale", "4").returncode == 0
        status = wait_settled(one, WORKERS + 1, PARTITIONS)

        # Then both run the old code, and the trial goes on
        assert [slot["generation"] for slot in status["slots"]] == [2, 1, 1, 1]
        assert roll(status)["state"] == "settling"
        seen = len(since(one, 0))
        wait_versions(one, seen, PARTITIONS, "old", "new")
        owned = {one["partition"] for one in status["slots"][0]["partitions"]}
        assert owned <= canary
        assert {entry.partition for entry in since(one, seen) if entry.note == "new"} == owned

        # When the new code is found good, then all four get it, one after another
        one.configure({**made, "workers": {"count": WORKERS, "batch_size": 100}, "reload": {"settle": 0.1}})
        asked = kherd(one, "reload")
        assert asked.returncode == 0, asked.stderr
        status = wait_settled(one, WORKERS + 1, PARTITIONS)
        assert {slot["generation"] for slot in status["slots"]} == {2}
        wait_versions(one, len(since(one, 0)), PARTITIONS, "new")
    assert wait_handled(one, name, feeder.acknowledged).disorder() == []
    one.stop()
