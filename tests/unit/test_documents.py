"""The documents are made from the code, and a stale one is noticed (`make check` looks whether ours are fresh)."""

import importlib
import subprocess
import sys
from collections.abc import Callable
from enum import Enum
from pathlib import Path
from typing import Any

import pytest

from kherd.supervisor.config.schema import Settings

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"


@pytest.fixture
def targets(monkeypatch: pytest.MonkeyPatch) -> Callable[[Any, type[Enum]], list[Any] | str]:
    monkeypatch.syspath_prepend(str(DOCS))
    # docs/ is no package: its scripts find each other on the path.
    found: Callable[[Any, type[Enum]], list[Any] | str] = importlib.import_module("machines").targets
    return found


def generate(*arguments: str, script: Path = DOCS / "generate.py") -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, script, *arguments], capture_output=True, text=True, check=False)


def test_a_stale_and_a_left_over_one_are_named(tmp_path: Path) -> None:
    (tmp_path / "docs" / "states").mkdir(parents=True)
    for script in DOCS.glob("*.py"):
        (tmp_path / "docs" / script.name).write_text(script.read_text())
    for room in ("supervisor", "worker"):
        (tmp_path / room).symlink_to(ROOT / room)
    script = tmp_path / "docs" / "generate.py"
    assert generate(script=script).returncode == 0
    assert generate("--check", script=script).returncode == 0
    (tmp_path / "CONFIGURATION.md").write_text("old")
    (tmp_path / "docs" / "states" / "gone.md").write_text("old")
    result = generate("--check", script=script)
    assert result.returncode == 1
    assert result.stderr.splitlines() == [
        "CONFIGURATION.md is stale: make docs",
        "docs/states/gone.md is stale: make docs",
    ]
    assert generate(script=script).returncode == 0
    assert not (tmp_path / "docs" / "states" / "gone.md").exists()


def test_every_key_is_documented_in_a_sentence() -> None:
    configuration = (ROOT / "CONFIGURATION.md").read_text()
    for section, field in Settings.model_fields.items():
        _, _, part = configuration.partition(f"## [{section}]\n")
        for key, info in (field.annotation or Settings).model_fields.items():
            assert f"\n| `{key}`" in part.partition("\n## ")[0]
            assert info.description
            assert info.description.endswith(".")


class Light(Enum):
    RED = 1
    GREEN = 2


class Move:
    to = (Light.RED, Light.GREEN)


class Step:
    state = Light.GREEN


def test_cells_of_every_shape_are_understood(targets: Callable[[Any, type[Enum]], list[Any] | str]) -> None:
    assert targets(Move(), Light) == [Light.RED, Light.GREEN]
    assert (
        targets(Step(), Light) == targets(Light.GREEN, Light) == targets((Light.GREEN, "act"), Light) == [Light.GREEN]
    )
    assert (targets(None, Light), targets("illegal", Light), targets("ignore", Light)) == ("illegal", "illegal", "-")
    assert targets(print, Light) == []
