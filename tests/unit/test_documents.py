"""The documents are made from the code, and a stale one is noticed (`make check` looks whether ours are fresh)."""

import importlib
import re
import subprocess
import sys
from collections.abc import Callable
from enum import Enum
from pathlib import Path
from typing import Any, get_args, get_origin

import pytest

from kherd.bench.promises.consume import RECORD
from kherd.bench.promises.promise import unmeasured
from kherd.bench.promises.report import Report, line, write
from kherd.supervisor.config.schema import Settings

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
PAGES = sorted(
    [*ROOT.glob("*.md"), *(page for room in ("docs", "bench", "systemd") for page in (ROOT / room).rglob("*.md"))]
)


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


def test_promises_that_were_measured_are_a_section_of_the_benchmarks(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.syspath_prepend(str(DOCS))
    benchmarks = importlib.import_module("benchmarks")
    (tmp_path / "bench" / "results").mkdir(parents=True)
    (tmp_path / benchmarks.RESULT).symlink_to(ROOT / benchmarks.RESULT)
    without = benchmarks.pages(tmp_path)["BENCHMARKS.md"]
    assert "## Promises" not in without
    promise = unmeasured(RECORD, "no Java")
    of = {"cores": 2, "cpu": "a|b", "load_before": 0.1, "load_after": 0.2, "broker": {"brokers": 1, "version": "4.1.1"}}
    one = Report(
        began="2026-01-01T00:00:00.000Z", seconds=90.0, command="kherd bench promises --seed 1", seed=1, environment=of,
        promises=[line(promise, 1.0)],
    )  # fmt: skip
    write(one, tmp_path / benchmarks.PROMISES)
    page = benchmarks.pages(tmp_path)["BENCHMARKS.md"]
    assert page.startswith(without)
    assert "by `kherd bench promises --seed 1` on 2026-01-01, 1 min 30 s,\non 2 cores (a\\|b)" in page
    assert "| record | ≥ 0.8 x | unknown |  | 0 | inconclusive: no Java |" in page


def test_every_key_is_documented_in_a_sentence() -> None:
    configuration = (ROOT / "CONFIGURATION.md").read_text()
    for section, field in Settings.model_fields.items():
        annotation: Any = field.annotation
        named = get_origin(annotation) is dict
        _, _, part = configuration.partition(f"## [{section}{'.NAME' if named else ''}]\n")
        for key, info in (get_args(annotation)[1] if named else annotation).model_fields.items():
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


LINK = re.compile(r"\]\(([^)\s]+)\)")


def anchors(page: Path) -> set[str]:
    """Return what GitHub calls the headings of a page."""
    headings = re.findall(r"^#+ (.*)$", page.read_text(), re.MULTILINE)
    plain = [re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", heading).lower() for heading in headings]
    return {re.sub(r"[^\w\- ]", "", heading).strip().replace(" ", "-") for heading in plain}


@pytest.mark.parametrize("page", PAGES, ids=[str(page.relative_to(ROOT)) for page in PAGES])
def test_every_link_leads_somewhere(page: Path) -> None:
    for link in LINK.findall(page.read_text()):
        path, _, anchor = link.partition("#")
        if "://" not in path:
            target = page.parent / path if path else page
            assert target.exists(), link
            assert not anchor or anchor in anchors(target), link
