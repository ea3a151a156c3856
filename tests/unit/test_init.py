"""`kherd init`: a herd to start from, and never somebody's files."""

import runpy
from pathlib import Path

import pytest
from click.testing import CliRunner

import kherd
from kherd import embedded
from kherd.supervisor.cli import main
from kherd.supervisor.cli.init import name_of
from kherd.supervisor.cli.starter import TOPIC
from kherd.supervisor.config.load import load
from kherd.supervisor.control.protocol import done

from ..fakes.daemon import FakeDaemon


def init(folder: Path, *arguments: str) -> int:
    return CliRunner().invoke(main, ["init", str(folder), *arguments]).exit_code


def test_what_it_writes_passes_the_check(tmp_path: Path) -> None:
    assert init(tmp_path / "orders") == 0
    result = CliRunner().invoke(main, ["check", str(tmp_path / "orders" / "kherd.toml"), "--live"])
    assert result.exit_code == 0, result.output
    settings = load(tmp_path / "orders" / "kherd.toml", {}).settings
    assert (settings.app.name, settings.embedded, settings.kafka.topics) == ("orders", True, (TOPIC,))


def test_every_key_that_it_mentions_works_when_it_is_uncommented(tmp_path: Path) -> None:
    init(tmp_path)
    path = tmp_path / "kherd.toml"
    lines = [
        line.removeprefix("# ") if " = " in line or line.startswith("# [") else line
        for line in path.read_text().splitlines()
    ]
    lines = [
        line for line in lines if not line.startswith(("s", "[kafka.client")) or "statsd" in line or "start" in line
    ]
    path.write_text("\n".join(lines))
    settings = load(path, {}).settings
    assert settings.workers.mode == "batch"
    assert settings.metrics.statsd == "localhost:8125"


def test_it_never_overwrites_unless_told_to(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text("mine")
    assert init(tmp_path) == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["app.py"]
    assert (tmp_path / "app.py").read_text() == "mine"
    assert init(tmp_path, "--force") == 0
    assert (tmp_path / "app.py").read_text() != "mine"


def test_a_place_where_nothing_can_be_written_is_an_error_in_words() -> None:
    result = CliRunner().invoke(main, ["init", "/proc/herd"])
    assert result.exit_code == 1
    assert result.output.startswith("Error: /proc/herd: ")


@pytest.mark.parametrize(
    ("folder", "name"), [("orders", "orders"), ("my herd!", "my-herd"), ("..x", "x"), ("ü", "herd"), ("", "herd")]
)
def test_the_herd_is_called_after_its_folder(folder: str, name: str) -> None:
    assert name_of(Path("/", folder)) == name


class Message:
    def __init__(self, value: bytes) -> None:
        self._value = value

    def value(self) -> bytes:
        return self._value


def test_the_handler_handles_json_and_knows_poison(tmp_path: Path) -> None:
    init(tmp_path)
    handle = runpy.run_path(str(tmp_path / "app.py"))["handle"]
    handle(Message(b'{"id": 1}'))
    with pytest.raises(kherd.ProcessingError):
        handle(Message(b"not JSON"))


def config(folder: Path, bootstrap: str) -> Path:
    path = folder / "kherd.toml"
    path.write_text(
        f'[app]\nname = "orders"\nhandler = "a:b"\n[kafka]\nbootstrap = "{bootstrap}"\ntopics = ["orders"]\n'
        '[state]\ndir = "state"\n'
    )
    (folder / "state").mkdir(mode=0o700)
    return path


def test_a_feeder_finds_the_broker_of_a_running_herd(tmp_path: Path) -> None:
    path = config(tmp_path, "embedded")
    with FakeDaemon.at(tmp_path / "state" / "control.sock", {"status": done({})}):
        with pytest.raises(embedded.NotRunningError, match="not up yet"):
            embedded.bootstrap(path)
        (tmp_path / "state" / "bootstrap").write_text("127.0.0.1:4711\n")
        assert embedded.bootstrap(path) == "127.0.0.1:4711"
    with pytest.raises(embedded.NotRunningError, match="no herd"):
        embedded.bootstrap(path)


def test_a_feeder_of_real_brokers_needs_no_herd(tmp_path: Path) -> None:
    assert embedded.bootstrap(config(tmp_path, "kafka1:9092")) == "kafka1:9092"
    with pytest.raises(embedded.NotRunningError, match="no such file"):
        embedded.bootstrap(tmp_path / "none.toml")


def test_the_feeder_says_so_if_there_is_no_herd(tmp_path: Path) -> None:
    init(tmp_path)
    (tmp_path / "kherd.toml").write_text((tmp_path / "kherd.toml").read_text() + '[state]\ndir = "state"\n')
    with pytest.raises(SystemExit, match="no herd"):
        runpy.run_path(str(tmp_path / "feed.py"), run_name="__main__")
