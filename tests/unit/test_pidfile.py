"""The pidfile: written in one step, never over somebody's file, removed by its owner alone."""

import os
from pathlib import Path

import pytest

from kherd.supervisor.config.errors import ConfigError
from kherd.supervisor.pidfile import Pidfile

PID = 4711


def test_it_holds_the_pid_until_it_is_removed(tmp_path: Path) -> None:
    path = tmp_path / "pid"
    file = Pidfile(path, PID)
    file.write()
    assert path.read_text() == "4711\n"
    assert list(tmp_path.iterdir()) == [path]
    file.remove()
    assert not path.exists()


@pytest.mark.parametrize("before", ["1\n", str(os.getpid()), ""], ids=["init", "a live process", "nothing"])
def test_a_stale_pid_whoever_has_it_now_keeps_nobody_from_starting(tmp_path: Path, before: str) -> None:
    (tmp_path / "pid").write_text(before)
    (tmp_path / "pid.new").write_text("left by a crash")
    Pidfile(tmp_path / "pid", PID).write()
    assert (tmp_path / "pid").read_text() == "4711\n"
    assert not (tmp_path / "pid.new").exists()


def test_a_successors_pid_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "pid"
    old = Pidfile(path, PID)
    old.write()
    Pidfile(path, PID + 1).write()
    old.remove()
    assert path.read_text() == "4712\n"


@pytest.mark.parametrize(
    ("make", "problem"),
    [
        (lambda path: path.write_text("[app]\nname = 'x'\n"), "holds no pid"),
        (lambda path: path.write_text("1" * 40), "holds no pid"),
        (lambda path: path.mkdir(), "no regular file"),
        (lambda path: path.symlink_to("/dev/null"), "no regular file"),
    ],
    ids=["the configuration", "a long number", "a folder", "a link"],
)
def test_what_is_no_pidfile_is_not_overwritten(tmp_path: Path, make: object, problem: str) -> None:
    path = tmp_path / "pid"
    assert callable(make)
    make(path)
    before = path.lstat()
    with pytest.raises(ConfigError, match=f"app.pidfile: .*{problem}"):
        Pidfile(path, PID).write()
    assert path.lstat().st_ino == before.st_ino
    Pidfile(path, PID).remove()
    assert path.lstat().st_ino == before.st_ino


def test_a_folder_that_is_not_there_is_a_mistake_of_the_configuration(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"app\.pidfile: .*cannot be written.*No such file"):
        Pidfile(tmp_path / "none" / "pid", PID).write()


def test_without_a_path_there_is_no_file() -> None:
    file = Pidfile(None, PID)
    file.write()
    file.report()
    file.remove()
