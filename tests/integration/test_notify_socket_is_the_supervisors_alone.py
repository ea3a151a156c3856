"""No child, no grandchild and nothing a handler starts has the notify socket, by its environment or as a descriptor."""

from pathlib import Path

from kherd.supervisor.systemd import VARIABLES
from kherd.testing.plugin import NewHerd

from ..fakes.manager import Manager

HANDLER = """
import os, subprocess

class Handler:
    def __init__(self):
        started = subprocess.run(["env"], capture_output=True, text=True, check=True).stdout
        with open(LEDGER_PATH, "a") as file:
            file.write(f"{started}\\n{dict(os.environ)}\\n")

    def handle(self, message):
        pass
"""


def test_only_the_supervisor_can_speak_to_systemd(herd: NewHerd, tmp_path: Path) -> None:
    with Manager(tmp_path / "notify") as manager:
        told = {"NOTIFY_SOCKET": manager.address, "WATCHDOG_USEC": "60000000"}
        config = {
            "app": {"handler": "handlers:Handler"},
            "kafka": {"bootstrap": "embedded", "topics": ["orders"]},
            "metrics": {"statsd": "127.0.0.1:9"},
        }
        one = herd(config, HANDLER, env=told)
        one.wait_ready(2)
        processes = one.processes()
        assert len(processes) >= 1 + 1 + 2 + 3  # supervisor, mold, workers, liaison and exporter and broker
        for pid in processes:
            shown = Path(f"/proc/{pid}/environ").read_bytes()
            assert not any(name.encode() in shown for name in VARIABLES), processes[pid]
        noted = one.ledger.read_text()
        assert "KHERD_TEST_HERD" in noted
        assert not any(name in noted for name in VARIABLES)
        held = {pid for pid in processes if notify_sockets(one.pid) & sockets(pid)}
        assert held == {one.pid}
        one.stop()


def sockets(pid: int) -> set[str]:
    return {str(fd.readlink()) for fd in Path(f"/proc/{pid}/fd").iterdir()}


def notify_sockets(pid: int) -> set[str]:
    """Return the datagram sockets of `pid`; a supervisor has no other one."""
    rows = [line.split() for line in Path("/proc/net/unix").read_text().splitlines()[1:]]
    datagram = {f"socket:[{row[6]}]" for row in rows if row[4] == "0002"}
    found = datagram & sockets(pid)
    assert len(found) == 1
    return found
