"""A result for the terminal and as Markdown."""

from typing import Final

from rich.console import Group, RenderableType
from rich.text import Text

from ..supervisor.cli.words import plain, table
from .markdown import escaped, grid
from .notes import labels
from .result import Result
from .sheets import Sheet, sheets

WIDEST: Final = 160
"""Columns of the widest table: a narrower terminal wraps its lines, and cuts no number."""


def terminal(result: Result) -> RenderableType:
    """Return the result as rich tables, its labels first."""
    parts: list[RenderableType] = [plain(label, "" if result.complete else "yellow") for label in labels(result)]
    for sheet in sheets(result):
        parts += [Text(), plain(sheet.title, "bold"), _table(sheet), *(plain(note, "dim") for note in sheet.notes)]
    return Group(*parts)


def _table(sheet: Sheet) -> RenderableType:
    made = table(*sheet.columns, right=frozenset(sheet.columns[sheet.left :]) - {"note"})
    for row in sheet.rows:
        made.add_row(*map(plain, row))
    return made


def markdown(result: Result) -> str:
    """Return the result as Markdown, its labels first."""
    lines = [f"- {escaped(label)}" for label in labels(result)]
    for sheet in sheets(result):
        right = frozenset(sheet.columns[sheet.left :]) - {"note"}
        lines += ["", f"### {sheet.title}", "", *grid(sheet.columns, right, sheet.rows)]
        lines += ["", *(escaped(note) for note in sheet.notes)]
    return "\n".join(lines) + "\n"
