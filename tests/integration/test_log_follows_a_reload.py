"""A reload that changes the log's level is followed by the supervisor, the workers and the services."""

from kherd.testing.plugin import NewHerd
from kherd.testing.rescale import kherd

TABLES = {"kafka": {"bootstrap": "embedded", "topics": ["orders"]}, "workers": {"count": 1}, "reload": {"settle": 0.2}}


def test_level(herd: NewHerd) -> None:
    # Given a herd that says nothing but errors
    one = herd({**TABLES, "log": {"level": "error"}})
    one.wait_status(lambda status: status["workers"]["ready"] == 1)
    assert one.events() == []

    # When it shall say everything
    one.configure({**TABLES, "app": {"name": one.settings["app"]["name"]}, "log": {"level": "debug"}})
    asked = kherd(one, "reload")
    assert asked.returncode == 0, asked.stderr
    assert "log.level: changed (in force at once, workers are rolled" in asked.stdout

    # Then the supervisor does at once, and the workers of the new generation do
    one.wait_event("reloaded")
    one.wait_event("worker_booted")
    one.wait_event("child_started", child="liaison")
    one.wait_event("roll_done")
    one.stop()
    assert one.events("drained", role="worker", generation=2)
