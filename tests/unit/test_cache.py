"""What is fetched once is there whole or not at all, however many ask."""

import subprocess
import sys
from pathlib import Path

import pytest

from kherd.testing import cache

RECIPE = b"recipe"


@pytest.fixture(autouse=True)
def _own_root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KHERD_CACHE", str(tmp_path / "cache"))


def build(folder: Path) -> None:
    (folder / "part").write_text("whole")


ASK = """
import time
from kherd.testing import cache

def build(folder):
    with (folder.parent / "builds").open("a") as file:
        file.write("x")
    time.sleep(0.2)
    (folder / "part").write_text("whole")

print((cache.entry("thing", b"recipe", build) / "part").read_text())
"""


def test_many_who_ask_at_once_have_it_built_once() -> None:
    askers = [subprocess.Popen([sys.executable, "-c", ASK], stdout=subprocess.PIPE, text=True) for _ in range(4)]
    assert [asker.communicate(timeout=30)[0] for asker in askers] == ["whole\n"] * 4
    assert (cache.root() / "builds").read_text() == "x"


def test_a_build_that_fails_leaves_nothing_and_is_tried_again() -> None:
    def fail(folder: Path) -> None:
        (folder / "part").write_text("half")
        raise RuntimeError("no network")

    with pytest.raises(RuntimeError, match="no network"):
        cache.entry("thing", RECIPE, fail)
    assert [path.name for path in cache.root().iterdir() if path.is_dir()] == []
    assert (cache.entry("thing", RECIPE, build) / "part").read_text() == "whole"


def test_a_changed_recipe_is_another_entry() -> None:
    assert cache.entry("thing", b"one", build) != cache.entry("thing", b"two", build)
