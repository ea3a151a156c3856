"""Tables in Markdown."""

from collections.abc import Collection, Iterable, Sequence


def grid(columns: Sequence[str], right: Collection[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """Return the lines of a table; the columns in `right` are aligned so."""
    ruler = ["---:" if name in right else "---" for name in columns]
    return [_row(columns), _row(ruler), *(_row(list(map(escaped, row))) for row in rows)]


def escaped(text: str) -> str:
    """Return `text` so that Markdown shows it as it is, on one line."""
    for sign in ("\\", "|", "*", "_", "<", "`"):
        text = text.replace(sign, f"\\{sign}")
    return " ".join(text.split())


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
