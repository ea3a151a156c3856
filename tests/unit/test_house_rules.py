"""The laws of size and layout that no linter holds."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FILES = sorted(
    path for room in ("supervisor", "worker", "bench", "src/kherd/testing") for path in (ROOT / room).rglob("*.py")
)
DECIDE = sorted(path for path in FILES if path.parent.name == "decide" and "\ndef " in path.read_text())


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_file_has_at_most_250_lines_and_a_function_40(path: Path) -> None:
    text = path.read_text()
    assert len(text.splitlines()) <= 250
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.end_lineno is not None:
            body = node.body[1:] if ast.get_docstring(node) else node.body
            lines = node.end_lineno - body[0].lineno + 1 if body else 0
            assert lines <= 40, f"{node.name} has {lines} lines"


@pytest.mark.parametrize("path", DECIDE, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_decision_has_a_property_test(path: Path) -> None:
    names = {test.stem for test in (ROOT / "tests" / "property").glob("test_*.py")}
    assert f"test_{path.stem}" in names


def test_no_text_names_a_machine_path() -> None:
    words = ("/wo" + "rk/", "/ro" + "ot/", "/home" + "/")
    for path in FILES:
        assert not any(word in path.read_text() for word in words), path
