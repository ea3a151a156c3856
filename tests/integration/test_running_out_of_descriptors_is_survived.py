"""No descriptor left in the supervisor: a worker's start fails with its reason, and succeeds when there are some."""

import os
import resource
import signal
import time
from pathlib import Path

from ..fakes.herd import StandIn, standin


def _cpu(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _fds(pid: int) -> list[int]:
    return sorted(int(entry.name) for entry in Path(f"/proc/{pid}/fd").iterdir())


def _count(herd: StandIn) -> tuple[int, int]:
    """Return how often worker 0 failed to start, and how often it was ready."""
    return len(herd.events("spawn_failed", child="worker 0")), len(herd.events("child_ready", child="worker 0"))


def test_it_is_a_failed_start_and_no_crash(tmp_path: Path) -> None:
    with standin(tmp_path, workers={"count": 2}, restart={"backoff_max": 0.2, "intensity": 1000}) as herd:
        herd.ready(2)
        pid = herd.process.pid
        # What is left when the last control connection is closed: it had the newest number.
        herd.until(lambda: herd.events("child_ready", child="worker 1"))
        fds = min((_fds(pid) for _ in range(200)), key=len)
        before = resource.prlimit(pid, resource.RLIMIT_NOFILE)
        for limit in range(fds[-1] - 9, fds[-1] + 2):  # a start needs several: it fails at the first, at the second, …
            victim = next(one["pid"] for one in herd.status()["slots"] if one["slot"] == 0)
            failed, started = _count(herd)
            resource.prlimit(pid, resource.RLIMIT_NOFILE, (limit, before[1]))
            os.kill(victim, signal.SIGKILL)
            herd.until(
                lambda failed=failed, started=started: _count(herd)[0] > failed + 1 or _count(herd)[1] > started,
                what=f"a second failed start, or one that succeeds, with {limit}",
            )
            resource.prlimit(pid, resource.RLIMIT_NOFILE, before)
            herd.ready(2)
        reasons = {line["reason"] for line in herd.events("spawn_failed", child="worker 0")}
        assert all("Too many open files" in reason for reason in reasons), reasons
        assert herd.events("spawn_failed", child="worker 0")
        assert herd.events("internal_error") == []
        assert len(list((tmp_path / "state" / "board").iterdir())) == 2
        herd.until(lambda: len(_fds(pid)) == len(fds), what="all of them given back")
        began, used = time.monotonic(), _cpu(pid)
        herd.until(lambda: time.monotonic() - began > 1.0)
        assert _cpu(pid) - used < 0.5  # it does not turn in circles
        assert herd.stop() == 0
