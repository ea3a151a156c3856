"""kill -9 of a worker is the supervisor's business: the unit stays active, the slot gets another process."""

from .conftest import NewService


def test_the_unit_does_not_notice_a_killed_worker(service: NewService) -> None:
    one = service()
    one.write()
    one.systemctl("start")
    one.wait_ready(2)
    before, supervisor = one.workers(), one.main_pid
    one.machine.run("kill", "-KILL", str(before[0]))
    one.wait(lambda: one.workers()[0] not in {None, before[0]}, "another worker")
    one.wait_ready(2)
    assert one.workers()[1] == before[1]
    assert (one.main_pid, one.show("ActiveState"), one.show("NRestarts")) == (supervisor, "active", "0")
