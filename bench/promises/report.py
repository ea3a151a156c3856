"""What a run of promises came to, as a file, as JSON lines and as a table. Version 1.

Fields may be added within a version; readers leave out what they do not know. A changed meaning is another version.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field
from rich.table import Table

from ...supervisor.cli.words import UNKNOWN, plain, table
from ..files import load, write_text
from ..markdown import grid
from ..spread import Verdict
from .promise import Found, Sense, Statistic

FORMAT: Final = "kherd-promises"
VERSION: Final = 1
WIDEST: Final = 140
"""Columns of the widest table: a narrower terminal wraps its lines, and cuts no number."""
COLUMNS: Final = ("promise", "limit", "measured", "interval", "n", "verdict")
STYLES: Final[dict[Verdict, str]] = {"met": "green", "missed": "bold red", "inconclusive": "yellow"}


class _Entry(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False)


class MeasuredEntry(_Entry):
    """See `promise.Measured`."""

    statistic: Statistic
    value: float
    low: float
    high: float
    median: float
    n: int


class Line(_Entry):
    """A promise and what came of it; `measured` is null if it could not be measured, `problem` says why."""

    promise: str
    version: Literal[1] = 1
    statement: str
    rival: str
    sense: Sense
    limit: float
    unit: str
    measured: MeasuredEntry | None
    verdict: Verdict
    problem: str | None
    details: dict[str, Any]
    seconds: float
    """What the measurement took, other promises of the same one included."""

    @property
    def bound(self) -> str:
        """Return the limit as a person reads it."""
        return f"{'≤' if self.sense == 'at most' else '≥'} {self.limit:g} {self.unit}".strip()

    def text(self, environment: Mapping[str, Any]) -> str:
        """Return the line of JSON."""
        document = {**self.model_dump(), "environment": dict(environment)}
        document["seconds"] = document.pop("seconds")
        return json.dumps(document)


class Report(BaseModel):
    """A run."""

    model_config = ConfigDict(extra="ignore", allow_inf_nan=False)

    format: Literal["kherd-promises"] = "kherd-promises"
    version: Literal[1] = 1
    complete: bool = False
    began: str
    seconds: float = 0.0
    command: str
    seed: int
    environment: dict[str, Any]
    promises: list[Line] = Field(default_factory=list)


def line(found: Found, seconds: float) -> Line:
    """Return the line of what was found by a measurement that took `seconds`."""
    promise, measured = found.promise, found.measured
    return Line(
        promise=promise.name,
        statement=promise.statement,
        rival=promise.rival,
        sense=promise.sense,
        limit=promise.limit,
        unit=promise.unit,
        measured=None
        if measured is None
        else MeasuredEntry(
            statistic=measured.statistic,
            value=short(measured.value),
            low=short(measured.low),
            high=short(measured.high),
            median=short(measured.median),
            n=measured.n,
        ),
        verdict=found.verdict,
        problem=found.problem,
        details=short(dict(found.details)),
        seconds=round(seconds, 1),
    )


def short(value: Any) -> Any:
    """Return figures with the digits that mean something."""
    if isinstance(value, Mapping):
        return {key: short(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [short(one) for one in value]
    return float(f"{value:.5g}") if isinstance(value, float) else value


def read(path: Path) -> Report:
    """Return the report in a file; raises ResultError."""
    return load(path, Report, FORMAT, VERSION)


def write(report: Report, path: Path) -> None:
    """Write the report in one step. Raises OSError."""
    write_text(path, json.dumps(report.model_dump(), indent=1) + "\n")


def terminal(report: Report) -> Table:
    """Return the table that a person reads."""
    made = table(*COLUMNS, right=frozenset(COLUMNS[1:5]))
    for one in report.promises:
        *cells, verdict = _cells(one)
        made.add_row(*map(plain, cells), plain(verdict, STYLES[one.verdict]))
    return made


def markdown(report: Report) -> str:
    """Return the table, and what the promises say, as Markdown."""
    lines = grid(COLUMNS, frozenset(COLUMNS[1:5]), [_cells(one) for one in report.promises])
    rows = [(one.promise, one.statement, one.rival) for one in report.promises]
    return "\n".join([*lines, "", *grid(("promise", "what it says", "measured beside"), frozenset(), rows)]) + "\n"


def _cells(one: Line) -> tuple[str, ...]:
    found = one.measured
    verdict = one.verdict if one.problem is None else f"{one.verdict}: {one.problem.splitlines()[0]}"
    if found is None:
        return (one.promise, one.bound, UNKNOWN, "", "0", verdict)
    return (
        one.promise,
        one.bound,
        f"{figure(found.value)} ({found.statistic})",
        f"{figure(found.low)} to {figure(found.high)}",
        f"{found.n}",
        verdict,
    )


def figure(value: float) -> str:
    """Return three digits that mean something, without an exponent where a person needs none."""
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"
