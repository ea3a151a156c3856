"""fork(2) refused, to the mold or to the supervisor: a failed start with backoff, named, and over with its reason."""

import os
import signal
from pathlib import Path
from typing import Any

import pytest

from ..fakes.herd import standin


@pytest.mark.parametrize("victim", ["worker 0", "mold 1", "liaison"])
def test_a_refused_fork_is_tried_again(tmp_path: Path, victim: str) -> None:
    refuse = tmp_path / "refuse forks"
    settings: Any = {"workers": {"count": 1, "start_timeout": 2}, "restart": {"backoff_max": 0.2}}
    with standin(tmp_path, environment={"STANDIN_FORK_FAILS": str(refuse)}, **settings) as herd:
        herd.ready(1)
        services = {"liaison": herd["services.liaison.pid"], "mold 1": herd["services.mold.pid"]}
        refuse.touch()
        os.kill(services.get(victim, herd.pids()[0]), signal.SIGKILL)
        herd.until(lambda: len(herd.events("spawn_failed", child=victim)) >= 2, what="two failed starts")
        assert all("temporarily unavailable" in line["reason"] for line in herd.events("spawn_failed", child=victim))
        waits = [line["seconds"] for line in herd.events("child_backoff", child=victim)]
        assert waits
        assert all(0 < seconds <= 2.5 for seconds in waits)
        refuse.unlink()
        herd.ready(1)
        herd.until(lambda: {one["state"] for one in herd["services"].values()} == {"ready"}, what="all services")
        assert herd.events("internal_error") == []
        assert herd.stop() == 0
