"""No process of the unit has the notify socket in its environment, whatever shows it."""

from kherd.supervisor.systemd import VARIABLES

from .conftest import NewService


def test_no_environment_shows_the_socket(service: NewService) -> None:
    one = service()
    one.write()
    one.systemctl("start")
    one.wait_ready(2)
    processes = one.processes()
    assert len(processes) >= 1 + 1 + 2 + 2  # supervisor, mold, workers, liaison and broker
    for pid in processes:
        shown = one.machine.inner(f"/proc/{pid}/environ").read_bytes()
        assert b"INVOCATION_ID=" in shown  # systemd's other variables are there
        assert not any(name.encode() in shown for name in VARIABLES)
    assert "Got notification message from PID" not in one.journal()
