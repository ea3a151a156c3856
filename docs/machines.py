"""docs/states: every state machine as a diagram and as its whole table, from the tables that the code runs on."""

import importlib
from collections.abc import Iterator
from enum import Enum
from pathlib import Path
from types import ModuleType
from typing import Any

from tables import MADE, table

ROOT = Path(__file__).resolve().parents[1]
ROOMS = ("supervisor", "worker")


def pages() -> dict[str, str]:
    """Return a page per module that has a State and a TRANSITIONS table."""
    return {module.__name__.rpartition(".")[2]: _page(module) for module in _machines()}


def _machines() -> Iterator[ModuleType]:
    for room in ROOMS:
        for path in sorted((ROOT / room / "decide").glob("*.py")):
            module = importlib.import_module(f"kherd.{room}.decide.{path.stem}")
            if hasattr(module, "State") and hasattr(module, "TRANSITIONS"):
                yield module


def _page(module: ModuleType) -> str:
    states: list[Any] = list(module.State)
    cells = {(state, event): targets(cell, module.State) for (state, event), cell in module.TRANSITIONS.items()}
    events = list(dict.fromkeys(event for _, event in cells))
    edges: dict[tuple[Any, Any], list[str]] = {}
    for (state, event), found in cells.items():
        for target in found if isinstance(found, list) else ():
            edges.setdefault((state, target), []).append(event.__name__)
    source = "/".join(module.__name__.split(".")[1:]) + ".py"
    title = (module.__doc__ or "").splitlines()[0].removeprefix("STATE MACHINE of ").rstrip(".:")
    drawn = "".join(f"    {one.name} --> {two.name}: {', '.join(names)}\n" for (one, two), names in edges.items())
    rows = [[state.name, *(_cell(cells.get((state, event), "")) for event in events)] for state in states]
    return (
        f"# States of {title}\n\n{MADE}\nFrom `{source}`.\n\n"
        f"```mermaid\nstateDiagram-v2\n    [*] --> {states[0].name}\n{drawn}```\n\n{_meanings(module)}"
        "Every state and event; `-`: nothing happens, `illegal`: it cannot come, and is an error.\n\n"
        + table(["", *(event.__name__ for event in events)], rows)
    )


def targets(cell: Any, states: type[Enum]) -> list[Any] | str:
    """Return the states that a cell of a table may lead to, or the word it is."""
    if cell is None:
        return "illegal"
    if isinstance(cell, str):
        return "-" if cell == "ignore" else cell
    found = getattr(cell, "to", getattr(cell, "state", cell))
    candidates = found if isinstance(found, tuple | list | frozenset | set) else (found,)
    return [one for one in candidates if isinstance(one, states)]


def _cell(found: list[Any] | str) -> str:
    return found if isinstance(found, str) else " or ".join(state.name for state in found)


def _meanings(module: ModuleType) -> str:
    """Return what the events are, from their docstrings."""
    events = dict.fromkeys(event for _, event in module.TRANSITIONS)
    return "".join(f"- {event.__name__}: {(event.__doc__ or '').splitlines()[0]}\n" for event in events) + "\n"
