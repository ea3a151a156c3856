"""A canary that dies after it was ready, within `reload.settle`, is taken back; nobody else is touched."""

import signal

import pytest

from kherd.testing.plugin import NewHerd, NewTopic
from kherd.testing.producing import Feeder
from kherd.testing.scenes import standings, wait_handled, wait_settled
from kherd.testing.topics import Cluster
from kherd.testing.trial import roll, since, tables, version, wait_roll, wait_versions

WORKERS, PARTITIONS, RATE = 3, 6, 200
DEATHS = {
    "exit 7": "threading.Timer(1.3, os._exit, (7,)).start()",  # after the second that makes a worker ready for long
    "SIGSEGV": "threading.Timer(0.7, ctypes.string_at, (0,)).start()",
}


@pytest.mark.parametrize("cause", DEATHS)
def test_the_old_code_goes_on(kafka: Cluster, topic: NewTopic, herd: NewHerd, cause: str) -> None:
    # Given a herd with a stream
    name = topic(PARTITIONS)
    made = tables(kafka, name, WORKERS, reload={"settle": 30})
    one = herd(made, version("old"))
    before = standings(wait_settled(one, WORKERS, PARTITIONS))
    with Feeder(kafka.client_properties(), name, RATE, partitions=PARTITIONS) as feeder:
        wait_versions(one, 0, PARTITIONS, "old")

        # When the new code kills its worker a moment after it was ready
        one.write_handler(version("new", at_build=DEATHS[cause]))
        one.configure({**made, "workers": {"count": WORKERS, "handler_timeout": "15s"}})
        one.signal(signal.SIGHUP)
        wait_roll(one, "settling")
        status = wait_roll(one, "rolled_back")

        # Then the canary's slot is back with the old code at once, and nobody else was touched
        assert cause in roll(status)["reason"]
        after = standings(wait_settled(one, WORKERS, PARTITIONS))
        assert [event["child"] for event in one.events("child_died")] == ["worker 0"]
        assert (after[0][3], after[1], after[2]) == (before[0][3], before[1], before[2])
        wait_versions(one, len(since(one, 0)), PARTITIONS, "old")
        assert {slot["generation"] for slot in one.status()["slots"]} == {1}
    handled = wait_handled(one, name, feeder.acknowledged)
    assert handled.disorder() == []
    assert {entry.partition for entry in handled.entries if entry.note == "new"} <= set(before[0][3])
    one.stop()
