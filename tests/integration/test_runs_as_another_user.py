"""Started by root with app.user, every process of a herd is that user's, and root and that user can command it."""

import os
import pwd
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from kherd.testing import namespaces
from kherd.testing.herd import Herd
from kherd.testing.plugin import NewHerd, part_or_skip

NOBODY = pwd.getpwnam("nobody")
HANDLER = """
import os

class Handler:
    def __init__(self):
        with open(LEDGER_PATH + ".made", "a") as file:
            file.write(f"{os.environ['HOME']} {os.environ['USER']} {os.getgroups()}\\n")

    def handle(self, message):
        pass
"""


@pytest.fixture
def one(herd: NewHerd, tmp_path: Path) -> Herd:
    part_or_skip(namespaces.available)
    folder = tmp_path / "herd-0"
    (tmp_path / "theirs").mkdir()
    os.chown(tmp_path / "theirs", NOBODY.pw_uid, NOBODY.pw_gid)
    for one in (tmp_path, tmp_path / "theirs"):
        one.chmod(0o755)
    app = {"handler": "handlers:Handler", "user": "nobody", "umask": "0027", "pidfile": "../theirs/pid"}
    made = herd(
        {"app": app, "kafka": {"bootstrap": "embedded", "topics": ["orders"]}, "restart": {"backoff_max": 0.2}},
        HANDLER.replace("LEDGER_PATH", repr(str(tmp_path / "theirs" / "ledger"))),
        within=namespaces.mounted(namespaces.opened(folder, tmp_path)),
    )
    made.wait_ready(2)
    return made


def test_every_process_is_that_users(one: Herd, tmp_path: Path) -> None:
    # Every process, by its ids and groups
    processes = one.processes()
    assert len(processes) >= 1 + 1 + 2 + 2  # supervisor, mold, workers, liaison, broker
    for pid in processes:
        facts = dict(line.split(":\t", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
        assert facts["Uid"].split() == [str(NOBODY.pw_uid)] * 4
        assert facts["Gid"].split() == [str(NOBODY.pw_gid)] * 4
        assert facts["Groups"].split() == [str(NOBODY.pw_gid)]
        assert facts["Umask"] == "0027"
    assert (tmp_path / "theirs" / "ledger.made").read_text().splitlines() == [
        f"{NOBODY.pw_dir} nobody [{NOBODY.pw_gid}]"
    ] * 2
    assert stat.S_IMODE((tmp_path / "theirs" / "ledger.made").stat().st_mode) == 0o640

    # What it keeps is theirs alone, whatever the mask
    for path in (one.state, *one.state.rglob("*")):
        assert path.stat().st_uid == NOBODY.pw_uid
    assert stat.S_IMODE(one.state.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in (one.state / "board").iterdir()} == {0o600}

    # A worker that is killed is replaced, its life still tied to the supervisor's; a reload reads the file again
    victim = one.worker_pids()[0]
    os.kill(victim, signal.SIGKILL)
    one.wait_event("child_died", child_pid=victim)
    one.wait_ready(2)
    one.configure({**one.settings, "workers": {"count": 3}})
    assert one.ask("reload")["changes"] == ["workers.count: 2 -> 3 (workers come or go)"]
    one.wait_ready(3)

    # The user can command it, others cannot; the pidfile is gone with it
    assert _status_as(one, NOBODY.pw_uid) == 0
    assert _status_as(one, NOBODY.pw_uid - 1) == 1
    assert (tmp_path / "theirs" / "pid").read_text() == f"{one.pid}\n"
    one.stop()
    assert not (tmp_path / "theirs" / "pid").exists()


def test_a_limit_of_processes_is_a_failed_start(one: Herd) -> None:
    status = one.wait_ready(2)
    mold, victim = status["services"]["mold"]["pid"], status["slots"][0]["pid"]
    limits = Path(f"/proc/{mold}/limits").read_text().splitlines()
    before = next(line.split()[2] for line in limits if line.startswith("Max processes"))
    _limit_processes(mold, "1")
    os.kill(victim, signal.SIGKILL)
    failed = one.wait_event("spawn_failed", child="worker 0")
    assert "Resource temporarily unavailable" in failed["reason"]
    assert one.worker_pids()[1] == status["slots"][1]["pid"]
    _limit_processes(mold, before)
    one.wait_ready(2)
    one.stop()


def test_nobody_outlives_it(one: Herd) -> None:
    one.kill()


def _limit_processes(pid: int, soft: str) -> None:
    switch = ["setpriv", f"--reuid={NOBODY.pw_uid}", f"--regid={NOBODY.pw_gid}", "--clear-groups", "--"]
    subprocess.run([*switch, "prlimit", f"--pid={pid}", f"--nproc={soft}:"], check=True)


def _status_as(one: Herd, uid: int) -> int:
    code = (
        "import sys; from kherd.supervisor.control.client import Client, ControlError\n"
        "try:\n    Client(__import__('pathlib').Path(sys.argv[1])).request('status', {})\n"
        "except (ControlError, OSError):\n    sys.exit(1)"
    )
    script = namespaces.mounted(namespaces.opened(one.folder))
    switch = ["setpriv", f"--reuid={uid}", "--clear-groups", "--"]
    command = [*script, *switch, sys.executable, "-c", code, str(one.state / "control.sock")]
    return subprocess.run(command, check=False, capture_output=True).returncode
