"""A supervisor that stands still is ended by the watchdog with all of its herd, and the next one is active."""

from .conftest import NewService


def test_a_stopped_supervisor_is_replaced_and_nothing_of_it_is_left(service: NewService) -> None:
    one = service()
    one.drop_in("WatchdogSec=2s")
    one.write()
    one.systemctl("start")
    one.wait_ready(2)
    before, supervisor = one.processes(), one.main_pid
    assert supervisor in before
    one.machine.run("kill", "-STOP", str(supervisor))
    one.wait(lambda: one.show("NRestarts") == "1" and one.show("ActiveState") == "active", "the next life")
    assert one.main_pid != supervisor
    assert not before & one.machine.pids()
    one.wait_ready(2)
    journal = one.journal()
    assert "Watchdog timeout" in journal
    assert "Fatal Python error: Aborted" in journal
    assert "poller.py" in journal


def test_a_herd_that_is_well_is_left_alone_by_a_short_watchdog(service: NewService) -> None:
    one = service()
    one.drop_in("WatchdogSec=1s")
    one.write()
    one.systemctl("start")
    one.wait_ready(2)
    supervisor = one.main_pid
    one.machine.run("sleep", "5")
    assert (one.main_pid, one.show("NRestarts")) == (supervisor, "0")
    assert "Watchdog timeout" not in one.journal()
