"""`systemctl start` returns when `systemd.ready_quorum` workers have booted, and the status says how far it is."""

from .conftest import NewService

SLOW = """
import time
from pathlib import Path

class Handler:
    def __init__(self):
        while not Path(LEDGER_PATH + ".go").exists():
            time.sleep(0.02)

    def handle(self, message):
        pass
"""


def test_it_is_activating_until_enough_workers_have_booted(service: NewService) -> None:
    one = service()
    handler = f"{one.name}:Handler"
    one.write(SLOW, app={"name": one.name, "handler": handler}, workers={"count": 3}, systemd={"ready_quorum": 2})
    one.systemctl("start", "--no-block")
    one.wait(lambda: one.show("StatusText") == "starting: 0/3 workers booted, 2 needed", "its standing")
    assert one.show("ActiveState") == "activating"
    (one.state / "ledger.go").touch()
    one.systemctl("start")
    assert one.show("ActiveState") == "active"
    assert one.status()["workers"]["booted"] >= 2
    one.wait_ready(3)
