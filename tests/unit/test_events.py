"""Every event is told with the fields that its sentence names, wherever it is told."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from kherd.worker import events
from kherd.worker.events import EVENTS, Event
from kherd.worker.log import IDENTITY, named_in

ROOT = Path(__file__).resolve().parents[2]
SOURCES = sorted(path for room in ("supervisor", "worker", "src/kherd") for path in (ROOT / room).rglob("*.py"))
BY_NAME = {name: value for name, value in vars(events).items() if isinstance(value, Event)}
SAME = {"app", "generation"}
"""Fields of the identity that an event may name: they mean the same there."""


@dataclass(frozen=True)
class Call:
    where: str
    events: tuple[str, ...]
    fields: frozenset[str]
    spread: bool


def calls(path: Path) -> Iterator[Call]:
    tree = ast.parse(path.read_text())
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func) in {"log.emit", "emit"} and node.args:
            yield Call(
                where=f"{path.relative_to(ROOT)}:{node.lineno}",
                events=tuple(named_events(node.args[0], tree)),
                fields=frozenset(keyword.arg for keyword in node.keywords if keyword.arg is not None),
                spread=any(keyword.arg is None for keyword in node.keywords),
            )


def named_events(node: ast.expr, tree: ast.Module) -> Iterator[str]:
    """The events that the first argument can be: named there, assigned to the variable it is, or passed as it."""
    if isinstance(node, ast.Attribute):
        yield node.attr
    elif isinstance(node, ast.IfExp):
        yield from named_events(node.body, tree)
        yield from named_events(node.orelse, tree)
    elif isinstance(node, ast.Name):
        for other in ast.walk(tree):
            if isinstance(other, ast.Assign) and ast.unparse(other.targets[0]) == node.id:
                yield from named_events(other.value, tree)
            elif isinstance(other, ast.FunctionDef) and node in ast.walk(other):
                yield from passed_events(other, node.id, tree)


def passed_events(function: ast.FunctionDef, parameter: str, tree: ast.Module) -> Iterator[str]:
    """The events that calls in this module pass to `function` as `parameter`."""
    if parameter not in {argument.arg for argument in function.args.args}:
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] == function.name:
            for passed in node.args:
                if ast.unparse(passed).startswith("events."):
                    yield from named_events(passed, tree)


EMITS = [call for path in SOURCES for call in calls(path)]


@pytest.mark.parametrize("call", EMITS, ids=lambda call: call.where)
def test_an_event_is_told_with_every_field_that_its_sentence_names(call: Call) -> None:
    assert call.events, "the event is not named where it can be seen"
    for name in call.events:
        missing = named_in(BY_NAME[name].says) - call.fields
        assert call.spread or not missing, f"{name} needs {sorted(missing)}"


@pytest.mark.parametrize("call", EMITS, ids=lambda call: call.where)
def test_no_field_has_the_name_of_an_identitys(call: Call) -> None:
    assert not call.fields & set(IDENTITY) - SAME


def test_the_calls_are_found() -> None:
    assert len(EMITS) > 30


def test_event_names_are_unique_and_sentences_can_be_parsed() -> None:
    assert len({event.name for event in EVENTS}) == len(EVENTS)
    assert len(EVENTS) == len(BY_NAME)
    for name, event in BY_NAME.items():
        assert event.name == name.lower()
        assert event.meaning
        assert not named_in(event.says) & set(IDENTITY) - SAME
