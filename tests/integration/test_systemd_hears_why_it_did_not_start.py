"""A configuration with mistakes, or a herd that runs already, is told to systemd before the exit, without READY."""

from pathlib import Path

from kherd.testing.plugin import NewHerd

from ..fakes.manager import Manager

CONFIG = {"app": {"handler": "handlers:handle"}, "kafka": {"bootstrap": "embedded", "topics": ["orders"]}}


def test_a_broken_configuration_is_told(herd: NewHerd, tmp_path: Path) -> None:
    with Manager(tmp_path / "notify") as manager:
        one = herd({**CONFIG, "workers": {"count": -3}}, env={"NOTIFY_SOCKET": manager.address})
        one.wait_end(code=78)
        assert [list(datagram) for datagram in manager.heard()] == [["STATUS"]]
        assert "workers.count" in manager.values("STATUS")[0]


def test_a_handler_that_cannot_be_loaded_is_told(herd: NewHerd, tmp_path: Path) -> None:
    with Manager(tmp_path / "notify") as manager:
        one = herd(CONFIG, "import no_such_module\n", env={"NOTIFY_SOCKET": manager.address})
        one.wait_end(code=78)
        assert manager.words() == ["STOPPING"]
        last = manager.values("STATUS")[-1]
        assert last.startswith("stopped with exit code 78: no worker can start")
        assert "no_such_module" in last


def test_a_herd_that_runs_already_is_told(herd: NewHerd, tmp_path: Path) -> None:
    first = herd(CONFIG)
    first.wait_ready(2)
    name = first.settings["app"]["name"]
    with Manager(tmp_path / "notify") as manager:
        second = herd({**CONFIG, "app": {"name": name}}, env={"NOTIFY_SOCKET": manager.address})
        second.wait_end(code=1)
        assert f"{name}" in manager.values("STATUS")[0]
        assert str(first.pid) in manager.values("STATUS")[0]
    first.stop()
