"""Restart intensity exceeded with give_up = "exit": the herd is stopped in order, exit 70, and nothing comes back."""

import os
import signal
from contextlib import suppress
from pathlib import Path

from kherd.supervisor.control.client import ControlError

from ..fakes.herd import StandIn, standin


def test_the_others_drain_and_the_reason_is_told(tmp_path: Path) -> None:
    restart = {"backoff_max": 0.1, "intensity": 3, "period": 60, "give_up": "exit"}
    with standin(tmp_path, workers={"count": 3}, restart=restart) as herd:
        herd.ready(3)
        herd.until(lambda: _crash(herd) or herd.events("gave_up"), what="giving up")
        assert herd.end() == 70
        assert "more than 3 failed starts" in herd.events("gave_up")[0]["reason"]
        assert len(herd.events("gave_up")) == 1
        assert herd.events("internal_error") == []
        stopping = herd.lines.index(herd.events("supervisor_stopping")[0])
        assert not [line for line in herd.lines[stopping:] if line["event"] == "child_started"]


def _crash(herd: StandIn) -> None:
    with suppress(ControlError, ProcessLookupError):  # it may be stopping already
        for pid in herd.pids()[:1]:
            os.kill(pid, signal.SIGKILL)
