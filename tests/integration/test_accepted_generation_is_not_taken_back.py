"""A slot that fails after the canary was accepted is told and waited for, not rolled back; the next reload goes on."""

import subprocess
import sys
from pathlib import Path
from typing import Any

from ..fakes.herd import StandIn, standin

HANDLE = "def handle(message): ...\n"
NEW = f"import os\nif os.path.exists(__file__ + '.broken'):\n    import no_such_thing\n{HANDLE}"


def test_the_roll_waits(tmp_path: Path) -> None:
    tables: dict[str, Any] = {"app": {"preload": False}, "reload": {"settle": 1}}
    broken = tmp_path / "orders.py.broken"
    with standin(tmp_path, HANDLE, workers={"count": 3}, **tables) as herd:
        herd.ready(3)
        old = {slot["slot"]: slot["pid"] for slot in herd["slots"]}
        (tmp_path / "orders.py").write_text(NEW)
        # When the second worker of the new generation cannot start
        waiting = subprocess.Popen(
            [sys.executable, "-m", "kherd", "restart", "-c", str(herd.config)], stderr=subprocess.PIPE, text=True
        )
        herd.until(lambda: is_settling(herd), what="the canary to be ready")
        broken.touch()
        _, said = waiting.communicate(timeout=20)

        # Then that is told, the canary keeps the new code, and the third worker the old one
        assert waiting.returncode == 1
        assert "the roll to generation 2 waits: worker 1 is held down" in said
        assert "no_such_thing" in said
        slots = herd["slots"]
        assert [slot["generation"] for slot in slots] == [2, 2, 1]
        assert [slot["state"] for slot in slots] == ["ready", "held", "ready"]
        assert slots[2]["pid"] == old[2]
        assert any("the roll to generation 2 waits: worker 1 is held down" in problem for problem in herd["problems"])

        # When it is mended, then a reload of the same file brings all to a newer generation
        broken.unlink()
        assert herd.ask("reload")["rolling"]
        herd.ready(3)
        herd.until(lambda: {slot["generation"] for slot in herd["slots"]} == {3}, what="all to be rolled")
        herd.ready(3)
        assert herd["problems"] == []
        assert herd["rollbacks"] == 0
        assert herd.stop() == 0


def is_settling(herd: StandIn) -> bool:
    rolls = herd["rolls"]
    return bool(rolls and rolls[-1]["state"] == "settling")
