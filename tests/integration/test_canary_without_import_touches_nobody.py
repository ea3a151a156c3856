"""A reload to code that cannot be imported stops no worker: it is told where, and tried again by the next."""

from kherd.testing.plugin import NewHerd, NewTopic
from kherd.testing.producing import Feeder
from kherd.testing.rescale import kherd
from kherd.testing.scenes import standings, wait_handled, wait_settled
from kherd.testing.topics import Cluster
from kherd.testing.trial import roll, since, tables, version, wait_versions

WORKERS, PARTITIONS, RATE = 3, 6, 200
BROKEN = {
    "no_such_thing": version("broken", at_import="import no_such_thing"),
    "cannot be called with one argument": version("broken").replace("(self, message)", "(self)"),
}


def test_it_is_told_where_and_everybody_goes_on(kafka: Cluster, topic: NewTopic, herd: NewHerd) -> None:
    # Given three workers with a stream
    name = topic(PARTITIONS)
    made = tables(kafka, name, WORKERS)
    one = herd(made, version("old"))
    before = standings(wait_settled(one, WORKERS, PARTITIONS))
    with Feeder(kafka.client_properties(), name, RATE, partitions=PARTITIONS) as feeder:
        wait_versions(one, 0, PARTITIONS, "old")

        # When the module cannot be imported, and the file has new settings for the workers and others
        one.write_handler(BROKEN["no_such_thing"])
        one.configure({**made, "workers": {"count": WORKERS, "batch_size": 100}, "lag": {"interval": 0.3}})
        asked = kherd(one, "reload")

        # Then the command fails with what was raised and where, and no worker has noticed
        assert asked.returncode == 1
        assert "importing handlers raised ModuleNotFoundError: No module named 'no_such_thing'" in asked.stderr
        assert "handlers.py, line " in asked.stderr
        assert "the workers run generation 1" in asked.stderr
        status = one.status()
        assert standings(status) == before
        assert (status["generation"], status["rollbacks"], roll(status)["state"]) == (1, 1, "rolled_back")
        [problem] = status["problems"]
        assert "generation 2 was rolled back: importing handlers raised" in problem
        assert "the workers have the settings of generation 1, not the file's" in problem
        assert one.events("rolled_back", generation=2, back_to=1)
        one.wait_event("child_ended", child="mold 2")
        wait_versions(one, len(since(one, 0)), PARTITIONS, "old")

        # When it can, but has no method that takes a message, then that is tried, and refused too
        one.write_handler(BROKEN["cannot be called with one argument"])
        asked = kherd(one, "reload")
        assert asked.returncode == 1
        assert "worker 0, the canary, could not go on" in asked.stderr
        assert "cannot be called with one argument" in asked.stderr
        others = {slot: standing for slot, standing in before.items() if slot}
        assert {slot: standing for slot, standing in standings(one.status()).items() if slot} == others

        # When it is mended, then a reload of the same file brings all three to it
        one.write_handler(version("new"))
        asked = kherd(one, "reload")
        assert asked.returncode == 0, asked.stderr
        assert "generation 4: all workers run it" in asked.stdout
        status = one.wait_status(lambda status: not status["problems"], what="no problem left")
        assert {slot["generation"] for slot in status["slots"]} == {4}
        wait_versions(one, len(since(one, 0)), PARTITIONS, "new")
    handled = wait_handled(one, name, feeder.acknowledged)
    assert handled.duplicates() == {}
    assert handled.disorder() == []
    one.stop()
