"""A trial's process ends with a result or with a reason, in words."""

from pathlib import Path

import pytest

from kherd.bench.jobs import ProduceJob, TrialError
from kherd.bench.runner import run
from kherd.testing.process import Process

REFUSED = {"bootstrap.servers": "127.0.0.1:1", "message.timeout.ms": "300", "log_level": "0"}
FLOOD = ProduceJob("t", REFUSED, 1, 100, 0.5, 1, sticky=False, warmup=0.0, seconds=0.2)


def test_what_the_client_refuses_is_the_reason(tmp_path: Path) -> None:
    job = ProduceJob("t", {"no.such": "1"}, 1, 100, 0.5, 1, sticky=False, warmup=0.0, seconds=0.2)
    with pytest.raises(TrialError, match="No such configuration property"):
        run(job, tmp_path, 1.0)


def test_a_process_that_was_killed_is_a_failed_trial(tmp_path: Path) -> None:
    with pytest.raises(TrialError):
        run(FLOOD, tmp_path, 1.0, Process.kill)  # type: ignore[arg-type]  # what it returns is nobody's business


def test_a_defect_in_the_trial_is_its_last_line(tmp_path: Path) -> None:
    broken = ProduceJob("t", REFUSED, 1, 4, 0.5, 1, sticky=False, warmup=0.0, seconds=0.2)
    with pytest.raises(TrialError, match="ValueError"):
        run(broken, tmp_path, 1.0)


def test_what_it_is_told_is_for_its_owner_alone(tmp_path: Path) -> None:
    with pytest.raises(TrialError):
        run(FLOOD, tmp_path, 1.0, Process.kill)  # type: ignore[arg-type]  # as above
    assert (tmp_path / "job.json").stat().st_mode & 0o077 == 0
