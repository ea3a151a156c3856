"""kill -9 of the supervisor, and giving up with 70, are followed by another start; its boards are kept for it."""

from .conftest import NewService

CRASH = """
import os

class Handler:
    def __init__(self):
        os._exit(9)

    def handle(self, message):
        pass
"""


def test_a_killed_supervisor_is_replaced_and_nothing_of_it_is_left(service: NewService) -> None:
    one = service()
    one.write()
    one.systemctl("start")
    one.wait_ready(2)
    before, supervisor = one.processes(), one.main_pid
    folder = one.machine.inner(f"/run/kherd/{one.name}")
    (folder / "kept").touch()
    one.machine.run("kill", "-KILL", str(supervisor))
    one.wait(lambda: one.show("NRestarts") == "1" and one.show("ActiveState") == "active", "the next life")
    assert not before & one.machine.pids()
    assert (folder / "kept").exists()
    one.wait_ready(2)
    one.systemctl("stop")
    assert not folder.exists()


def test_giving_up_is_tried_again(service: NewService) -> None:
    one = service()
    restart = {"give_up": "exit", "intensity": 1, "backoff_max": "0.1s"}
    one.write(CRASH, app={"handler": f"{one.name}:Handler"}, restart=restart)
    one.systemctl("start", "--no-block")
    one.wait(lambda: one.show("NRestarts") >= "1", "another start")
    assert "status=70" in one.journal()
    assert "giving up" in one.journal()
