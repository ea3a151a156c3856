import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from kherd.supervisor.control.client import Client, ControlError, NoHerdError, RefusedError
from kherd.supervisor.control.protocol import Answer, Request, done, refused

from ..fakes.daemon import FakeDaemon


def test_a_request_returns_the_data_of_its_answer(tmp_path: Path) -> None:
    with FakeDaemon.at(tmp_path / "s", {"scale": done({"before": 2, "after": 4})}) as daemon:
        assert Client(daemon.path).request("scale", {"to": 4}) == {"before": 2, "after": 4}
        assert daemon.requests[0].args["to"] == 4


def test_a_refusal_comes_in_the_supervisors_own_words(tmp_path: Path) -> None:
    with (
        FakeDaemon.at(tmp_path / "s", {"reload": refused("kafka.topics: is empty")}) as daemon,
        pytest.raises(RefusedError, match=r"^kafka\.topics: is empty$"),
    ):
        Client(daemon.path).request("reload")


def test_being_turned_away_is_told_in_words(tmp_path: Path) -> None:
    with (
        FakeDaemon.at(tmp_path / "s", {}, peers_allowed=()) as daemon,
        pytest.raises(RefusedError, match="may not command this herd"),
    ):
        Client(daemon.path).request("status")


def test_a_long_answer_comes_whole(tmp_path: Path) -> None:
    with FakeDaemon.at(tmp_path / "s", {"status": done("x" * 5_000_000)}) as daemon:
        assert len(Client(daemon.path).request("status")) == 5_000_000


def test_nobody_there_is_told_from_everything_else(tmp_path: Path) -> None:
    dead = socket.socket(socket.AF_UNIX)
    dead.bind(str(tmp_path / "dead"))
    dead.close()
    for name in ("never", "dead", "no/folder"):
        with pytest.raises(NoHerdError, match=f"no herd is running at .*{name}"):
            Client(tmp_path / name).request("status")
        assert not Client(tmp_path / name).alive()


def test_a_supervisor_that_does_not_answer_in_time_is_an_error(tmp_path: Path) -> None:
    def never(_: Request) -> Answer | None:
        return None

    with FakeDaemon.at(tmp_path / "s", {"status": never}) as daemon:
        with pytest.raises(ControlError, match=r"no answer to 'status' within 0\.05 s"):
            Client(daemon.path).request("status", timeout=0.05)
        assert Client(daemon.path).alive()


def test_a_supervisor_whose_backlog_is_full_is_an_error_and_alive(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as stuck:
        stuck.bind(str(tmp_path / "s"))
        stuck.listen(0)
        with socket.socket(socket.AF_UNIX) as first:
            first.connect(str(tmp_path / "s"))
            with pytest.raises(ControlError, match="does not take connections"):
                Client(tmp_path / "s").request("status", timeout=0.1)
            assert Client(tmp_path / "s").alive()


def test_a_supervisor_that_hangs_up_is_an_error(tmp_path: Path) -> None:
    with FakeDaemon.at(tmp_path / "s", {}) as daemon:
        daemon._replies = {"stop": lambda _: daemon.server.close()}
        with pytest.raises(ControlError, match="hung up before it answered 'stop'"):
            Client(daemon.path).request("stop")


def test_another_protocol_version_is_told(tmp_path: Path) -> None:
    with FakeDaemon.at(tmp_path / "s", {}) as daemon:
        daemon.server._put = lambda connection, answer: connection.put(b'{"v":9,"ok":true}\n')  # type: ignore[method-assign]
        with pytest.raises(ControlError, match="speaks protocol version 9, this command 1"):
            Client(daemon.path).request("status")


def test_a_path_longer_than_an_address_is_reached(tmp_path: Path) -> None:
    folder = tmp_path / ("d" * 120)
    folder.mkdir()
    with FakeDaemon.at(folder / "control.sock", {"status": done("far")}) as daemon:
        assert Client(daemon.path).request("status") == "far"


LISTENER = """
import socket, sys
listener = socket.socket(socket.AF_UNIX)
listener.bind(sys.argv[1])
listener.listen()
print("listening", flush=True)
sys.stdin.read()
"""


def test_the_end_of_the_daemon_is_seen(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", LISTENER, str(tmp_path / "s")], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        watch = Client(tmp_path / "s").watch()
        assert watch.pid == process.pid
        assert not watch.ended(0.0)
        process.kill()
        assert watch.ended(10.0)
        watch.close()


def test_the_end_of_a_daemon_in_another_pid_namespace_is_seen_at_its_socket(tmp_path: Path) -> None:
    with FakeDaemon.at(tmp_path / "s", {}) as daemon:
        watch = Client(daemon.path).watch()
        assert watch.pid == os.getpid()
        watch.close()
        assert not watch.ended(0.0)
        daemon.end()
        assert watch.ended(10.0)
