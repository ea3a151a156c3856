"""A herd whose configuration or handler is wrong fails once with 78, is not started again, and the status says why."""

from kherd.testing.service import Service

from .conftest import NewService


def test_a_broken_file_fails_once(service: NewService) -> None:
    one = service()
    one.write(workers={"count": -3})
    failed_for_good(one, "workers.count")


def test_a_handler_that_cannot_be_loaded_fails_once(service: NewService) -> None:
    one = service()
    one.write("import no_such_module\n")
    failed_for_good(one, "no_such_module")


def failed_for_good(one: Service, reason: str) -> None:
    assert one.systemctl("start", check=False) != 0
    assert (one.show("ActiveState"), one.show("SubState"), one.show("Result")) == ("failed", "failed", "exit-code")
    assert (one.show("ExecMainStatus"), one.show("NRestarts")) == ("78", "0")
    assert reason in one.show("StatusText")
    assert reason in one.journal()
    assert one.processes() == set()
