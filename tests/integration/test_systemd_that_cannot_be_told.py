"""A notify socket that is not there, or variables that make no sense, are a warning each and hurt nothing."""

import signal
from pathlib import Path

from kherd.testing.plugin import NewHerd

CONFIG = {"kafka": {"bootstrap": "embedded", "topics": ["orders"]}}


def test_a_socket_that_is_not_there_is_one_warning(herd: NewHerd, tmp_path: Path) -> None:
    one = herd(CONFIG, env={"NOTIFY_SOCKET": str(tmp_path / "nobody"), "WATCHDOG_USEC": "abc"})
    one.wait_ready(2)
    one.signal(signal.SIGHUP)
    one.wait_event("reloaded")
    one.stop()
    assert len(one.events("notify_failed")) == 1
    (ignored,) = one.events("notify_ignored")
    assert (ignored["variable"], ignored["value"]) == ("WATCHDOG_USEC", "abc")


def test_a_vsock_address_is_one_warning(herd: NewHerd) -> None:
    one = herd(CONFIG, env={"NOTIFY_SOCKET": "vsock:2:1234"})
    one.wait_ready(2)
    one.stop()
    assert [event["variable"] for event in one.events("notify_ignored")] == ["NOTIFY_SOCKET"]
