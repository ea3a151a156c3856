"""The demo's ledger reader and its folder."""

import os
from pathlib import Path

import pytest

from kherd.supervisor.demo.folder import Folder
from kherd.supervisor.demo.ledger import LedgerReader
from kherd.supervisor.demo.stage import InterruptedDemoError, Interrupts
from kherd.testing.wait import until


def test_the_ledger_is_read_as_it_grows_and_a_line_once_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "ledger"
    reader = LedgerReader(path)
    reader.read()
    assert reader.entries == []
    with path.open("a") as file:
        file.write("order-1 0 5 77 1000\norder-2 1 6 7")
        file.flush()
        reader.read()
        assert [entry.key for entry in reader.entries] == ["order-1"]
        file.write("8 2000\n")
    reader.read()
    assert [(entry.key, entry.pid, entry.at) for entry in reader.entries] == [
        ("order-1", 77, 1000),
        ("order-2", 78, 2000),
    ]
    assert reader.keys == {"order-1", "order-2"}


def test_the_folder_is_gone_when_remove_returns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    folder = Folder()
    (folder.path / "state").mkdir()
    (folder.path / "state" / "file").write_text("x")
    assert folder.path.parent == tmp_path
    folder.remove()
    assert list(tmp_path.iterdir()) == []


def test_the_folder_stays_until_the_last_holder_has_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    folder = Folder()
    held = os.dup(folder.hold)
    assert folder._keeper.stdin is not None
    folder._keeper.stdin.close()  # what the kernel does when the process is killed
    assert folder.path.exists()
    os.close(held)
    until(lambda: not folder.path.exists(), 10, "the folder to go")
    folder.remove()


def test_a_signal_is_remembered_and_raised_where_the_demo_waits() -> None:
    with Interrupts() as interrupts:
        interrupts.check()
        os.kill(os.getpid(), 15)
        with pytest.raises(InterruptedDemoError, match="SIGTERM"):
            interrupts.check()
        assert not interrupts.insistent
        os.kill(os.getpid(), 2)
        assert interrupts.insistent
