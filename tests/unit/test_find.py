from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from kherd.supervisor.control.client import ControlError, NoHerdError
from kherd.supervisor.control.find import find

from ..fakes.daemon import YES, FakeDaemon

APP = "kherd-test-find"
CONFIG = f"""
[app]
name = "{APP}"
handler = "orders:handle"
[kafka]
bootstrap = "embedded"
topics = ["orders"]
"""


@pytest.fixture
def states(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder in which this user's herds have theirs."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    monkeypatch.delenv("RUNTIME_DIRECTORY", raising=False)
    (tmp_path / "kherd").mkdir()
    return tmp_path / "kherd"


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as opened:
        yield opened


def run(stack: ExitStack, folder: Path) -> Path:
    """Let a herd run in `folder`; return its socket."""
    folder.mkdir(exist_ok=True)
    return stack.enter_context(FakeDaemon.at(folder / "control.sock", {"status": YES})).path


def written(folder: Path, extra: str = "") -> Path:
    config = folder / "kherd.toml"
    config.write_text(CONFIG + extra)
    return config


def test_a_herd_is_found_by_its_name(states: Path, stack: ExitStack) -> None:
    socket = run(stack, states / APP)
    assert find(None, APP).path == socket
    assert find(None, APP).request("status") == YES.data


def test_a_herd_with_an_instance_is_found_by_its_name_alone(states: Path, stack: ExitStack) -> None:
    socket = run(stack, states / f"{APP}@blue")
    (states / APP).mkdir()
    assert find(None, APP).path == socket


def test_of_several_instances_the_file_says_which(states: Path, stack: ExitStack, tmp_path: Path) -> None:
    run(stack, states / f"{APP}@blue")
    green = run(stack, states / f"{APP}@green")
    with pytest.raises(ControlError, match=r"several herds named .* choose one with -c CONFIG") as several:
        find(None, APP)
    assert str(green.parent) in str(several.value)
    config = tmp_path / "kherd.toml"
    config.write_text(CONFIG.replace("[kafka]", 'instance = "green"\n[kafka]'))
    assert find(config, None).path == green


def test_a_herd_that_another_environment_placed_elsewhere_is_found_by_its_file(
    states: Path, stack: ExitStack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    socket = run(stack, states / APP)
    monkeypatch.setenv("RUNTIME_DIRECTORY", str(tmp_path / "nobody"))
    assert find(written(tmp_path), None).path == socket


def test_the_state_folder_of_the_file_comes_first(states: Path, stack: ExitStack, tmp_path: Path) -> None:
    run(stack, states / APP)
    chosen = run(stack, tmp_path / "chosen")
    config = written(tmp_path, f'[state]\ndir = "{chosen.parent}"\n')
    assert find(config, None).path == chosen


def test_without_file_and_name_the_file_of_this_folder_is_meant(
    states: Path, stack: ExitStack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ControlError, match=r"there is no kherd\.toml in this folder: say which herd .* --app NAME"):
        find(None, None)
    socket = run(stack, states / APP)
    written(tmp_path)
    assert find(None, None).path == socket


def test_no_herd_says_where_it_was_looked_for(states: Path, tmp_path: Path) -> None:
    with pytest.raises(NoHerdError, match=r"no herd named 'kherd-test-nobody' is running; .*/run/kherd"):
        find(None, "kherd-test-nobody")
    (states / APP).mkdir()
    with pytest.raises(NoHerdError, match=str(states / APP / "control.sock")):
        find(written(tmp_path), None)


@pytest.mark.parametrize("broken", ["[workers]\ncuont = 1\n", "[kafka.client]\nx = '${KHERD_TEST_UNSET}'\n"])
def test_a_file_that_cannot_be_used_any_more_still_names_its_herd(
    states: Path, stack: ExitStack, tmp_path: Path, broken: str
) -> None:
    socket = run(stack, states / APP)
    assert find(written(tmp_path, broken), None).path == socket


@pytest.mark.parametrize("text", ["not toml", "[app]\nname = 1\n", "app = 1", '[app]\nname = "${KHERD_TEST_UNSET}"'])
def test_a_file_without_a_name_says_what_to_do(tmp_path: Path, text: str) -> None:
    config = tmp_path / "kherd.toml"
    config.write_text(text)
    with pytest.raises(ControlError, match="--app NAME"):
        find(config, None)
