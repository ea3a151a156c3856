"""A stop in which workers finish one after another may take longer than TimeoutStopSec; nothing is killed."""

from .conftest import NewService

STAGGERED = """
import time
import kherd

def handle(message):
    LATE = 3 + 5 * kherd.context().slot
    open(f"{LEDGER_PATH}.{kherd.context().slot}", "w").close()
    time.sleep(LATE)
"""


def test_a_stop_that_goes_on_is_given_time(service: NewService) -> None:
    one = service()
    one.drop_in("TimeoutStopSec=4s")
    one.write(STAGGERED)
    one.systemctl("start")
    one.wait_ready(2)
    one.wait(lambda: len([p for slot in one.status()["slots"] for p in slot["partitions"]]) == 8, "an assignment")
    one.fill(8)
    one.wait(lambda: all((one.state / f"ledger.{slot}").exists() for slot in (0, 1)), "both handlers at work")
    one.systemctl("stop")
    assert (one.show("Result"), one.show("ExecMainStatus")) == ("success", "0")
    assert len(one.events("drained")) == 2
