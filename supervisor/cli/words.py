"""How numbers and tables look to a person. What is unknown is called unknown, never zero."""

import re
from typing import Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

UNKNOWN: Final = "unknown"
PIPE_WIDTH: Final = 200
"""Columns when nobody looks: a log or a pipe has no width, and a cut number would be a wrong one."""
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_STEPS: Final = (("d", 86400.0), ("h", 3600.0), ("min", 60.0))


def console() -> Console:
    """Return the console for standard output: as wide as the terminal, PIPE_WIDTH without one."""
    found = Console(highlight=False, markup=False, emoji=False)
    return found if found.is_terminal else Console(highlight=False, markup=False, emoji=False, width=PIPE_WIDTH)


def plain(value: object, style: str = "") -> Text:
    """Return `value` as text that cannot command the terminal, whatever a topic's name or an exception says."""
    return Text(_CONTROL.sub("�", str(value)), style=style)


def count(value: object) -> str:
    """Return a whole number with its thousands apart."""
    return f"{value:,}" if isinstance(value, int) else UNKNOWN


def rate(value: object) -> str:
    """Return a rate per second."""
    return f"{value:,.1f}/s" if isinstance(value, int | float) else UNKNOWN


def percent(value: object) -> str:
    """Return a share of 1 as per cent."""
    return f"{value * 100:.2f} %" if isinstance(value, int | float) else UNKNOWN


def duration(seconds: object) -> str:
    """Return `seconds` in the two largest units that matter."""
    if not isinstance(seconds, int | float):
        return UNKNOWN
    for index, (name, length) in enumerate(_STEPS):
        if seconds >= length:
            smaller, step = (*_STEPS, ("s", 1.0))[index + 1]
            whole = int(seconds // length)
            return f"{whole} {name} {int(seconds % length // step)} {smaller}"
    return f"{seconds:.0f} s" if seconds >= 10 else f"{seconds:.1f} s"  # noqa: PLR2004 - tenths matter below ten


def table(*columns: str, right: frozenset[str] = frozenset()) -> Table:
    """Return a table without lines; the columns in `right` hold numbers."""
    made = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for column in columns:
        made.add_column(column, justify="right" if column in right else "left", no_wrap=column in right)
    return made
