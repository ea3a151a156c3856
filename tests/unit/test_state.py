"""The state folder: where it is, and that nobody else can slip another one in."""

import os
from pathlib import Path

import pytest

from kherd.supervisor.config.account import look_up
from kherd.supervisor.config.errors import ConfigError
from kherd.supervisor.config.state import candidates, prepare, state_dir

from ..fakes.configs import settings

AUTO = settings("[app]\ninstance = 'auto'")
NAMED = settings("[app]\ninstance = 'b'")
ROOT = os.geteuid() == 0


def test_the_first_that_applies_is_the_folder() -> None:
    temporary = f"/tmp/kherd-{os.geteuid()}/orders"
    assert state_dir(settings("[state]\ndir = '/srv/x'"), {"RUNTIME_DIRECTORY": "/run/a"}) == Path("/srv/x")
    assert state_dir(AUTO, {"RUNTIME_DIRECTORY": "/run/a:/run/b", "XDG_RUNTIME_DIR": "/x"}) == Path("/run/a")
    if ROOT:
        assert state_dir(AUTO, {"XDG_RUNTIME_DIR": "/x"}) == Path("/run/kherd/orders")
    else:
        assert state_dir(AUTO, {"XDG_RUNTIME_DIR": "/x"}) == Path("/x/kherd/orders")
        assert state_dir(AUTO, {}) == Path(temporary)
    assert state_dir(NAMED, {}).name == "orders@b"


def test_clients_find_every_instance_of_a_herd(tmp_path: Path) -> None:
    for name in ("orders", "orders@a", "orders@b", "orders2", "other"):
        (tmp_path / "kherd" / name).mkdir(parents=True)
    found = [
        folder.name for folder in candidates("orders", {"XDG_RUNTIME_DIR": str(tmp_path)}) if tmp_path in folder.parents
    ]
    assert found == ["orders", "orders@a", "orders@b"]


def test_it_is_made_for_its_owner_alone(tmp_path: Path) -> None:
    made = prepare(tmp_path / "a" / "b")
    assert (made.stat().st_mode & 0o777, made.parent.stat().st_mode & 0o777) == (0o700, 0o700)
    assert prepare(made) == made


def refused(folder: Path) -> str:
    with pytest.raises(ConfigError) as raised:
        prepare(folder)
    (problem,) = raised.value.problems
    assert problem.startswith("state.dir: ")
    return problem


def test_a_link_in_its_place_is_refused(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir(mode=0o700)
    (tmp_path / "link").symlink_to(tmp_path / "real")
    (tmp_path / "dangling").symlink_to(tmp_path / "nowhere")
    assert "is not a folder of user id" in refused(tmp_path / "link")
    assert "is not a folder of user id" in refused(tmp_path / "dangling")
    assert not (tmp_path / "nowhere").exists()


def test_a_file_in_its_place_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert "is not a folder of user id" in refused(tmp_path / "file")
    assert "Not a directory" in refused(tmp_path / "file" / "below")


@pytest.mark.parametrize("mode", [0o720, 0o702, 0o777])
def test_a_folder_that_others_may_write_is_refused(tmp_path: Path, mode: int) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a").chmod(mode)
    assert "writable for others" in refused(tmp_path / "a")


def test_a_folder_below_one_that_everybody_may_write_is_refused(tmp_path: Path) -> None:
    (tmp_path / "open").mkdir()
    (tmp_path / "open").chmod(0o777)
    assert "writable for everybody" in refused(tmp_path / "open" / "a")
    (tmp_path / "open").chmod(0o1777)
    assert prepare(tmp_path / "open" / "a")


@pytest.mark.skipif(not ROOT, reason="only root may give folders away")
def test_another_users_folder_is_refused_also_above(tmp_path: Path) -> None:
    (tmp_path / "theirs" / "a").mkdir(parents=True)
    os.chown(tmp_path / "theirs", 65534, 65534)
    assert "belongs to user id 65534" in refused(tmp_path / "theirs" / "a")
    assert "is not a folder of user id 0" in refused(tmp_path / "theirs")


def test_what_cannot_be_made_is_told(tmp_path: Path) -> None:
    assert "choose another state.dir" in refused(Path("/proc/kherd"))
    assert "choose another state.dir" in refused(tmp_path / "a\0b")
    assert "File name too long" in refused(tmp_path / ("x" * 300))


@pytest.mark.skipif(not ROOT, reason="only root can give folders away")
def test_a_folder_of_roots_is_handed_over_with_what_is_in_it(tmp_path: Path) -> None:
    account = look_up("nobody", None)
    folder = prepare(tmp_path / "state")
    (folder / "board").mkdir(mode=0o700)
    for name in ("paused.json", "board/a"):
        (folder / name).write_text("")
    (tmp_path / "theirs").touch()
    (folder / "link").symlink_to(tmp_path)
    prepare(folder, account)
    assert {path.lstat().st_uid for path in (folder, *folder.rglob("*"))} == {account.uid}
    assert {path.stat().st_uid for path in (tmp_path, tmp_path / "theirs")} == {0}
    assert prepare(folder, account) == folder
    with pytest.raises(ConfigError, match="not a folder of user id 0"):
        prepare(folder)


@pytest.mark.skipif(not ROOT, reason="only root can give folders away")
def test_what_others_could_write_into_is_not_handed_over(tmp_path: Path) -> None:
    (tmp_path / "state").mkdir()
    (tmp_path / "state").chmod(0o777)
    with pytest.raises(ConfigError, match="writable for others"):
        prepare(tmp_path / "state", look_up("nobody", None))
    assert (tmp_path / "state").stat().st_uid == 0
