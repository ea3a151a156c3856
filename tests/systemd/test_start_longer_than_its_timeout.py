"""A start that goes on may take longer than TimeoutStartSec, one that stands still may not."""

from .conftest import NewService

SLOW = """
import time
time.sleep(8)

def handle(message):
    pass
"""
STUCK = """
import time
time.sleep(1_000)
"""


def test_a_start_that_goes_on_is_given_time(service: NewService) -> None:
    one = service()
    one.drop_in("TimeoutStartSec=4s")
    one.write(SLOW)
    assert one.systemctl("start") == 0
    assert one.show("NRestarts") == "0"


def test_a_start_that_stands_still_is_ended(service: NewService) -> None:
    one = service()
    one.drop_in("TimeoutStartSec=2s", "Restart=no")
    one.write(STUCK, workers={"start_timeout": "1s"}, restart={"backoff_max": "1s"})
    assert one.systemctl("start", check=False) != 0
    assert one.show("Result") == "timeout"
    assert one.processes() == set()
