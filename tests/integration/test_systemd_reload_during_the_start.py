"""A reload that comes before the quorum has booted says nothing of being ready; the quorum does, later, once."""

import signal
from pathlib import Path

from kherd.testing.plugin import NewHerd
from kherd.testing.wait import until

from ..fakes.manager import Manager

SLOW = """
import os, time
from pathlib import Path

class Handler:
    def __init__(self):
        while not Path(LEDGER_PATH + ".go").exists():
            time.sleep(0.01)

    def handle(self, message):
        pass
"""


def test_ready_waits_for_the_quorum_whatever_is_reloaded(herd: NewHerd, tmp_path: Path) -> None:
    config = {
        "app": {"handler": "handlers:Handler"},
        "kafka": {"bootstrap": "embedded", "topics": ["orders"]},
    }
    with Manager(tmp_path / "notify") as manager:
        one = herd(config, SLOW, env={"NOTIFY_SOCKET": manager.address})
        one.wait_status(lambda document: document["workers"]["by_state"].get("booting") == 2)
        one.configure({**config, "workers": {"count": 3}})
        one.signal(signal.SIGHUP)
        one.wait_event("reloaded")
        until(lambda: "starting: 0/3 workers booted, 1 needed" in manager.values("STATUS"), 10, "the new count")
        assert manager.words() == []
        Path(f"{one.ledger}.go").touch()
        manager.wait(lambda it: it.words() == ["READY"], "READY=1")
        one.stop()
        assert manager.words() == ["READY", "STOPPING"]
