"""WATCHDOG=1 comes while the loop goes round and not when it stands still; SIGABRT then shows where it stood."""

import signal
from pathlib import Path

import pytest

from kherd.testing.plugin import NewHerd
from kherd.testing.wait import until
from kherd.worker import clock

from ..fakes.manager import Manager

pytestmark = pytest.mark.alone

TIMEOUT = 1.0
CONFIG = {"kafka": {"bootstrap": "embedded", "topics": ["orders"]}}


def pings(manager: Manager) -> int:
    return len(manager.values("WATCHDOG"))


def fed(manager: Manager) -> None:
    before = pings(manager)
    manager.wait(lambda it: pings(it) > before, "WATCHDOG=1", TIMEOUT)


def test_a_loop_that_stands_still_does_not_feed_the_watchdog(herd: NewHerd, tmp_path: Path) -> None:
    with Manager(tmp_path / "notify") as manager:
        told = {"NOTIFY_SOCKET": manager.address, "WATCHDOG_USEC": str(int(TIMEOUT * 1_000_000))}
        one = herd(CONFIG, env=told)
        one.wait_ready(2)
        for _ in range(8):
            fed(manager)
        one.signal(signal.SIGSTOP)
        until(lambda: "T" in Path(f"/proc/{one.pid}/stat").read_text().rpartition(")")[2][:3], 5, "it to stand still")
        before = pings(manager)
        clock.sleep(2 * TIMEOUT)
        assert pings(manager) == before
        one.signal(signal.SIGCONT)
        fed(manager)
        one.signal(signal.SIGABRT)
        until(lambda: not one.processes(), 5, "the end of all that it had")  # the kernel kills them, after it has ended
        one.wait_end(code=-signal.SIGABRT)
        one.events()
        assert any("poller.py" in line for line in one.log.other), one.log.other


def test_a_long_timeout_costs_no_wake_up_of_its_own(herd: NewHerd, tmp_path: Path) -> None:
    with Manager(tmp_path / "notify") as manager:
        one = herd(CONFIG, env={"NOTIFY_SOCKET": manager.address, "WATCHDOG_USEC": "10000000"})
        one.wait_ready(2)
        clock.sleep(2)  # what a start does now and then is over
        before, begun = switches(one.pid), clock.monotonic()
        clock.sleep(8)
        rate = (switches(one.pid) - before) / (clock.monotonic() - begun)
        assert rate <= 2.0, f"{rate:.2f} wake-ups a second"
        assert 2 <= pings(manager) <= 8
        one.stop()


def switches(pid: int) -> int:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("voluntary_ctxt"))
