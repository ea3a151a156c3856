"""`systemctl stop` while records come in: exit 0 within the deadline, and what was begun is finished and committed."""

from kherd.worker import clock

from .conftest import NewService

COUNT = 4000
WORK = """
import time
from kherd.testing.ledger import Ledger

LEDGER = Ledger(LEDGER_PATH)

def handle(message):
    time.sleep(0.005)
    LEDGER.write(message)
"""


def test_what_was_begun_is_finished_and_committed(service: NewService) -> None:
    one = service()
    one.write(WORK)
    one.systemctl("start")
    one.wait_ready(2)
    one.fill(COUNT)
    one.wait(lambda: (one.state / "ledger").exists() and len(one.ledger()) > 100, "some records handled")
    begun = clock.monotonic()
    one.systemctl("stop")
    assert clock.monotonic() - begun < 25
    assert (one.show("ActiveState"), one.show("Result"), one.show("ExecMainStatus")) == ("inactive", "success", "0")
    handled = one.ledger()
    assert len(handled) < COUNT  # it was stopped in the middle
    assert handled.duplicates() == {}
    drained = one.events("drained")
    assert len(drained) == 2
    assert sum(event["handled"] for event in drained) == len(handled)
    assert [event["uncommitted"] for event in drained] == [0, 0]
    assert one.events("unfinished") == []
    for partition in range(8):
        offsets = [entry.offset for entry in handled.at("orders", partition)]
        assert offsets == list(range(len(offsets))), f"a gap in partition {partition}"
    assert one.processes() == set()
    assert one.show("StatusText").startswith("stopped with exit code 0")


def test_a_worker_that_had_to_be_killed_is_no_failure_of_the_unit(service: NewService) -> None:
    one = service()
    one.write(stop={"timeout": "3s"}, workers={"handler_timeout": "2s"})
    one.systemctl("start")
    one.wait_ready(2)
    one.machine.run("kill", "-STOP", str(one.workers()[0]))
    one.systemctl("stop")
    assert (one.show("ActiveState"), one.show("Result"), one.show("ExecMainStatus")) == ("inactive", "success", "75")
    assert one.processes() == set()
