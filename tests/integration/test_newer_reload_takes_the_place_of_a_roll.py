"""A reload during a trial takes its place: the canary returns to what was accepted before, then tries the newest."""

import sys
from pathlib import Path
from subprocess import PIPE, Popen

import pytest

from ..fakes.herd import StandIn, standin

HANDLE = "def handle(message): ...\n"
SLEEP = f"import time\ntime.sleep(60)\n{HANDLE}"
TRIALS = {"molding": (True, SLEEP), "canary": (False, SLEEP), "settling": (True, HANDLE)}


@pytest.mark.parametrize("state", TRIALS)
def test_the_newest_wins(tmp_path: Path, state: str) -> None:
    preload, code = TRIALS[state]
    app = {"preload": preload}
    with standin(tmp_path, HANDLE, workers={"count": 2}, app=app, reload={"settle": 60}) as herd:
        herd.ready(2)
        # Given somebody who waits for a generation that is being tried
        write(tmp_path, code)
        herd.write(workers={"count": 2, "batch_size": 9}, app=app, reload={"settle": 60})
        command = [sys.executable, "-m", "kherd", "reload", "-c", str(herd.config)]
        with Popen(command, stdout=PIPE, stderr=PIPE, text=True) as waiting:
            herd.until(lambda: is_tried(herd, state), what=state)

            # When there is a newer one
            write(tmp_path, HANDLE)
            herd.write(workers={"count": 2, "batch_size": 8}, app=app, reload={"settle": 0.1})
            assert herd.ask("reload")["generation"] == 3

            # Then it is rolled out, and who waited for the other is told so
            _, said = waiting.communicate(timeout=20)
        assert waiting.returncode == 1
        assert "the roll to generation 2 was abandoned: generation 3 takes its place" in said
        herd.until(lambda: herd["rolls"][-1]["state"] == "done", what="the newest to be rolled out")
        assert {slot["generation"] for slot in herd["slots"]} == {3}
        assert [(one["generation"], one["back_to"], one["state"]) for one in herd["rolls"]] == [
            (2, 1, "abandoned"), (3, 1, "done"),
        ]  # fmt: skip
        herd.until(lambda: herd.events("child_ended", child="mold 2") and herd.events("child_ended", child="mold 1"))
        assert (herd["deaths"], herd["rollbacks"], herd["problems"]) == ({}, 0, [])
        assert herd.events("child_backoff") == herd.events("internal_error") == []
        assert herd.stop() == 0


def write(folder: Path, code: str) -> None:
    """Have the module be whole at every moment: the canary may be just importing it."""
    written = folder / "orders.new"
    written.write_text(code)
    written.replace(folder / "orders.py")


def is_tried(herd: StandIn, state: str) -> bool:
    rolls, slots = herd["rolls"], herd["slots"]
    booting = state != "canary" or slots[0]["state"] == "booting"
    return bool(rolls and rolls[-1]["state"] == state and booting)
