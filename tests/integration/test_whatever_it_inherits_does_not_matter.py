"""Closed or full standard streams, ignored or blocked signals, few descriptors, no folder: it runs and stops."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from ..fakes.herd import ROOT, StandIn, standin
from ..fakes.processes import until

SAFE = "import os, signal, sys, resource\n{code}\nos.execvp(sys.argv[1], sys.argv[1:])"
INHERITED = {
    "closed standard streams": "os.closerange(0, 3)",
    "a log that nobody reads any more": "r, w = os.pipe(); os.dup2(w, 2); os.close(r)",
    "a full pipe as log": (
        "r, w = os.pipe(); os.set_inheritable(r, True); os.set_blocking(w, False)\n"
        "try:\n    while True: os.write(w, b'x')\nexcept BlockingIOError: pass\n"
        "os.set_blocking(w, True); os.dup2(w, 2); os.dup2(w, 1)"
    ),
    "signals ignored and blocked": (
        "for one in (signal.SIGTERM, signal.SIGCHLD, signal.SIGHUP, signal.SIGINT, signal.SIGALRM, signal.SIGUSR1):\n"
        "    signal.signal(one, signal.SIG_IGN)\n"
        "signal.pthread_sigmask(signal.SIG_SETMASK, signal.valid_signals())"
    ),
    "few descriptors and no folder": (
        "resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64)); os.mkdir('gone'); os.chdir('gone'); os.rmdir('../gone')"
    ),
}


@pytest.mark.parametrize("inherited", INHERITED)
def test_it_runs_and_stops_all_the_same(tmp_path: Path, inherited: str) -> None:
    within = ("python3", "-c", SAFE.format(code=INHERITED[inherited]))
    environment = {"PYTHONPATH": str(ROOT), "PYTHONSAFEPATH": "1"}
    with standin(
        tmp_path, environment=environment, within=within, workers={"count": 2}, log={"format": "auto"}
    ) as herd:
        herd.ready(2)
        for pid in (herd.process.pid, *herd.pids()):
            assert standard(pid) == 3, "each standard stream is open"
        assert holders_of_the_lock(herd) == [herd.process.pid]
        victim = herd.pids()[0]
        os.kill(victim, signal.SIGKILL)
        until(lambda: victim not in herd.pids())
        herd.ready(2)
        herd.signal(signal.SIGHUP)
        until(lambda: herd["config.last_reload"] is not None)
        assert herd.stop() == 0


def standard(pid: int) -> int:
    """Return how many of the standard streams are open."""
    return sum(Path(f"/proc/{pid}/fd/{fd}").is_symlink() for fd in range(3))


def holders_of_the_lock(herd: StandIn) -> list[int]:
    """Return the processes that hold the socket whose life is the lock."""
    name = f"@kherd/standin-{os.getpid()}-{herd.folder.name}"
    (inode,) = {
        line.split()[6]
        for line in Path("/proc/net/unix").read_text().splitlines()[1:]
        if line.split()[-1].startswith(name)
    }
    held = f"socket:[{inode}]"
    return [pid for pid in (herd.process.pid, *herd.left()) if held in _open(pid)]


def _open(pid: int) -> set[str]:
    return {str(fd.readlink()) for fd in Path(f"/proc/{pid}/fd").iterdir() if fd.is_symlink()}


def test_an_exit_code_is_right_though_nobody_reads_why(tmp_path: Path) -> None:
    (tmp_path / "kherd.toml").write_text("[app]\nname = 'orders'\n")
    broken = SAFE.format(code=INHERITED["a log that nobody reads any more"])
    for within in (["python3", "-c", broken], ["sh", "-c", 'exec "$@" 2>&-', "sh"]):
        command = [*within, sys.executable, "-m", "kherd", "run", str(tmp_path / "kherd.toml")]
        assert subprocess.run(command, check=False).returncode == 78
