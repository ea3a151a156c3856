"""When no worker does its work there is nothing to protect: a reload brings mended code to all of them at once."""

import os
import signal
from pathlib import Path

from ..fakes.herd import standin

HANDLE = "def handle(message): ...\n"
BROKEN = f"import os\nif os.path.exists(__file__ + '.broken'):\n    import no_such_thing\n{HANDLE}"


def test_all_of_them_try_it(tmp_path: Path) -> None:
    with standin(tmp_path, BROKEN, workers={"count": 2}, app={"preload": False}, reload={"settle": 60}) as herd:
        # Given two workers that cannot start any more
        herd.ready(2)
        (tmp_path / "orders.py.broken").touch()
        for pid in herd.pids():
            os.kill(pid, signal.SIGKILL)
        herd.until(lambda: herd["workers.by_state"] == {"held": 2}, what="both to be held")

        # When the code cannot be loaded still, then the reload says so and both stay as they are
        herd.signal(signal.SIGHUP)
        herd.until(lambda: len(herd.events("child_held")) == 4, what="both to be held again")
        herd.until(lambda: any("no_such_thing" in problem for problem in herd["problems"]), what="the reason")

        # When it is mended, then both run it, and nobody was waited for
        (tmp_path / "orders.py.broken").unlink()
        herd.signal(signal.SIGHUP)
        herd.ready(2)
        herd.until(lambda: herd["rolls"][-1]["state"] == "done", what="the end of the roll")
        assert [event["generation"] for event in herd.events("canary_skipped")] == [2, 3]
        assert {slot["generation"] for slot in herd["slots"]} == {3}
        assert herd["problems"] == []
        assert herd.stop() == 0
