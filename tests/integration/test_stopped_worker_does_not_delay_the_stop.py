"""A worker stopped by SIGSTOP: the stop ends at its deadline all the same, with exit code 75 and nothing left."""

import os
import signal
import time
from pathlib import Path

import pytest

from ..fakes.herd import standin

pytestmark = pytest.mark.alone

TIMEOUT = 2.0


def test_it_is_killed_at_the_deadline(tmp_path: Path) -> None:
    with standin(tmp_path, workers={"count": 3, "handler_timeout": 1}, stop={"timeout": TIMEOUT}) as herd:
        herd.ready(3)
        victim = herd.pids()[1]
        os.kill(victim, signal.SIGSTOP)
        began = time.monotonic()
        assert herd.stop() == 75
        assert time.monotonic() - began < TIMEOUT + 1.0
        (killed,) = herd.events("child_killed")
        assert killed["child_pid"] == victim
        assert "not finished at the deadline" in killed["reason"]
        assert len([line for line in herd.events("child_ended") if line["cause"] == "drained"]) == 2


@pytest.mark.parametrize("service", ["mold", "liaison"])
def test_nor_does_a_stopped_service(tmp_path: Path, service: str) -> None:
    with standin(tmp_path, workers={"count": 1, "handler_timeout": 1}, stop={"timeout": TIMEOUT}) as herd:
        herd.ready(1)
        os.kill(herd["services"][service]["pid"], signal.SIGSTOP)
        began = time.monotonic()
        assert herd.stop() == 75
        assert time.monotonic() - began < TIMEOUT + 1.0


def test_a_second_term_does_not_wait_for_the_deadline(tmp_path: Path) -> None:
    with standin(tmp_path, workers={"count": 2}) as herd:
        herd.ready(2)
        os.kill(herd.pids()[0], signal.SIGSTOP)
        began = time.monotonic()
        herd.signal(signal.SIGTERM)
        herd.until(lambda: herd.events("supervisor_stopping"))
        herd.signal(signal.SIGTERM)
        assert herd.end() == 0
        assert time.monotonic() - began < 10.0


def test_what_a_rescale_had_to_kill_is_no_fault_of_the_stop(tmp_path: Path) -> None:
    with standin(tmp_path, workers={"count": 2, "handler_timeout": 1}, stop={"timeout": TIMEOUT}) as herd:
        herd.ready(2)
        os.kill(herd.status()["slots"][1]["pid"], signal.SIGSTOP)
        herd.signal(signal.SIGTTOU)
        herd.ready(1)
        assert len(herd.events("child_killed")) == 1
        assert herd.stop() == 0
