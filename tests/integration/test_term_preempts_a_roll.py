"""TERM in the middle of a roll, however far it is, ends the herd at once and in order; nobody is brought back first."""

import signal
import time
from pathlib import Path
from typing import Any

import pytest

from ..fakes.herd import StandIn, standin

HANDLE = "def handle(message): ...\n"
SLEEP = f"import time\ntime.sleep(%g)\n{HANDLE}"
PHASES = {
    "molding": (True, SLEEP % 60, 60),
    "canary": (False, SLEEP % 60, 60),
    "settling": (True, HANDLE, 60),
    "rolling": (False, SLEEP % 0.5, 0),
}
AT_ONCE = 5.0
"""Seconds; `stop.timeout` is 25, and the slowest import 60."""


@pytest.mark.parametrize("phase", PHASES)
def test_term(tmp_path: Path, phase: str) -> None:
    preload, code, settle = PHASES[phase]
    more: dict[str, Any] = {"app": {"preload": preload}, "reload": {"settle": settle}}
    with standin(tmp_path, HANDLE, workers={"count": 3}, **more) as herd:
        herd.ready(3)
        (tmp_path / "orders.py").write_text(code)
        herd.write(workers={"count": 3, "batch_size": 9}, **more)
        herd.ask("reload")
        herd.until(lambda: in_the_middle_of(herd, phase), what=phase)
        began = time.monotonic()
        herd.signal(signal.SIGTERM)
        assert herd.end(AT_ONCE) == 0
        assert time.monotonic() - began < AT_ONCE
        assert herd.events("roll_abandoned", reason="the herd is stopping", generation=2)
        stopping = herd.log().index(herd.events("supervisor_stopping")[0])
        assert not [line for line in herd.log()[stopping:] if line["event"] == "child_started"]
        assert herd.events("rolled_back") == herd.events("internal_error") == []


def in_the_middle_of(herd: StandIn, phase: str) -> bool:
    status = herd.status()
    states = {slot["slot"]: slot["state"] for slot in status["slots"]}
    if phase == "canary":
        return bool(status["rolls"][-1]["state"] == phase and states[0] == "booting")
    if phase == "rolling":
        return bool(status["rolls"][-1]["state"] == phase and states[1] == "booting")
    return bool(status["rolls"][-1]["state"] == phase)
