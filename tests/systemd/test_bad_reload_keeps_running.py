"""A reload of a file with mistakes returns, changes nothing, and `systemctl status` says why."""

from .conftest import NewService


def test_a_broken_file_changes_nothing_and_the_status_says_why(service: NewService) -> None:
    one = service()
    one.write()
    one.systemctl("start")
    one.wait_ready(2)
    before, supervisor = one.processes(), one.main_pid
    one.write(workers={"count": -3, "handler_timeuot": 5})
    assert one.systemctl("reload") == 0
    text = one.show("StatusText")
    assert text.startswith("2/2 ready")
    for problem in ("the last reload was refused", "workers.count", "workers.handler_timeuot"):
        assert problem in text
        assert problem in one.machine.out("systemctl", "status", "--no-pager", "--full", one.unit)
    assert (one.show("ActiveState"), one.main_pid, one.processes()) == ("active", supervisor, before)
    one.write()
    assert one.systemctl("reload") == 0
    assert "refused" not in one.show("StatusText")
