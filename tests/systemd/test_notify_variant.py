"""The unit for systemd before 253 starts, reloads, refuses a bad reload and stops as the other one does."""

from .conftest import NewService


def test_the_older_variant_does_the_same(service: NewService) -> None:
    one = service("kherd-notify")
    one.write()
    one.systemctl("start")
    one.wait_ready(2)
    before = one.workers()
    one.write(workers={"count": 3})
    assert one.systemctl("reload") == 0
    one.wait_ready(3)
    assert {slot: pid for slot, pid in one.workers().items() if slot in before} == before
    one.write(workers={"count": -3})
    assert one.systemctl("reload") == 0
    one.wait(lambda: "the last reload was refused: workers.count" in one.show("StatusText"), "the reason")
    assert one.show("ActiveState") == "active"
    one.systemctl("stop")
    assert (one.show("Result"), one.show("ExecMainStatus")) == ("success", "0")
