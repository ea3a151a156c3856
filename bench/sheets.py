"""A result as tables of words, the same for the terminal, Markdown and HTML. What is unknown is called so."""

from dataclasses import dataclass, field
from typing import Final

from ..supervisor.cli.words import UNKNOWN
from ..supervisor.config.types import format_size
from . import notes
from .readers import PROMISES, ConsumeRow, consume_rows
from .result import CellEntry, Result
from .spread import Spread
from .summary import (
    FaultRow,
    PacedRow,
    RateRow,
    Sums,
    drift_of,
    fault_rows,
    paced_rows,
    rate_rows,
    same_as_one,
    verdict_of,
)

CELL: Final = ("acks", "linger.ms", "batch.size", "codec")
NAMES: Final = {
    "poll": "raw loop: poll()",
    "consume": "raw loop: consume(500)",
    "record": "kherd, a handler per record",
    "batch": "kherd, a handler per batch",
}


@dataclass(frozen=True, slots=True)
class Sheet:
    """A titled table with what has to be known to read it; columns from `left` on hold numbers."""

    title: str
    columns: tuple[str, ...]
    rows: list[tuple[str, ...]]
    left: int
    notes: list[str] = field(default_factory=list)


def sheets(result: Result) -> list[Sheet]:
    """Return the tables that have rows."""
    made = [_rates(result), _latencies(result), _faults(result), _consumers(result), _problems(result)]
    return [sheet for sheet in made if sheet.rows]


def _rates(result: Result) -> Sheet:
    drifted, size = drift_of(result), result.matrix.load.size
    columns = (
        *CELL, "records/s", "interval", "MB/s", "CPU s/M", "batch", "wire", "bound", "vs control", "lost", "note",
    )  # fmt: skip
    rows = [_rate_cells(row, result, drifted, size) for row in rate_rows(result)]
    return Sheet(
        "Producer: maximum rate",
        columns,
        rows,
        left=len(CELL),
        notes=notes.of_rates(result, drifted),
    )


def _rate_cells(row: RateRow, result: Result, drifted: float | None, size: int) -> tuple[str, ...]:
    verdict = verdict_of(row, result.control, drifted)
    compared = UNKNOWN if row.to_control is None else f"{row.to_control.median:.2f} {verdict}".strip()
    return (
        *_cell(row.cell),
        UNKNOWN if row.speed is None else f"{row.speed.median:,.0f}",
        _interval(row.speed, 1, 0),
        UNKNOWN if row.speed is None else f"{row.speed.median * size / 1e6:.1f}",
        UNKNOWN if row.cpu is None else f"{row.cpu.median:.2f}",
        UNKNOWN if row.batch is None else f"{row.batch:,.0f}",
        UNKNOWN if row.wire is None else f"{row.wire:.2f}",
        row.bound or UNKNOWN,
        compared,
        f"{row.sums.lost:,}",
        _remarks(row.cell, row.sums, result),
    )


def _latencies(result: Result) -> Sheet:
    columns = (*CELL, "at records/s", "p50 ms", "p99 ms", "p99 interval", "p99.9 ms", "send p99 ms", "lost", "note")
    return Sheet(
        "Producer: latency",
        columns,
        [_paced_cells(row, result) for row in paced_rows(result)],
        left=len(CELL),
        notes=notes.of_latencies(result),
    )


def _paced_cells(row: PacedRow, result: Result) -> tuple[str, ...]:
    def at(name: str) -> str:
        return f"{row.quantiles[name].median * 1000:.2f}" if name in row.quantiles else UNKNOWN

    return (
        *_cell(row.cell),
        f"{row.rate:,}",
        at("p50"),
        at("p99"),
        _interval(row.quantiles.get("p99"), 1000, 2),
        at("p999"),
        UNKNOWN if row.send_delay is None else f"{row.send_delay * 1000:.2f}",
        f"{row.sums.lost:,}",
        _remarks(row.cell, row.sums, result, "" if row.kept_up else "did not keep up"),
    )


def _faults(result: Result) -> Sheet:
    columns = (
        "acks", "stall s", "kills", "delivered", "lost", "of each kill", "duplicated", "failed", "failed but written",
        "longest s",
    )  # fmt: skip
    return Sheet(
        "Producer: the topic's leader is killed (SIGKILL)",
        columns,
        [_fault_cells(row) for row in fault_rows(result)],
        left=1,
        notes=notes.of_faults(result),
    )


def _fault_cells(row: FaultRow) -> tuple[str, ...]:
    return (
        row.acks,
        f"{row.stall:g}",
        f"{row.trials}",
        f"{row.delivered:,}",
        f"{row.lost:,}",
        ", ".join(f"{one:,}" for one in row.losses),
        f"{row.duplicated:,}",
        f"{row.failed:,}",
        f"{row.undead:,}",
        UNKNOWN if row.longest is None else f"{row.longest:.1f}",
    )


def _consumers(result: Result) -> Sheet:
    columns = (
        "contender",
        "records/s",
        "interval",
        "MB/s",
        "CPU µs/record",
        "vs consume(500)",
        "interval ",
        "promise",
        "verdict",
    )
    size = result.matrix.consume.size
    return Sheet(
        "Consumer: one topic, read again and again",
        columns,
        [_consume_cells(row, size) for row in consume_rows(result)],
        left=1,
        notes=notes.of_consumers(result),
    )


def _consume_cells(row: ConsumeRow, size: int) -> tuple[str, ...]:
    promise = PROMISES.get(row.contender)
    return (
        NAMES.get(row.contender, row.contender),
        f"{row.speed.median:,.0f}",
        _interval(row.speed, 1, 0),
        f"{row.speed.median * size / 1e6:.1f}",
        f"{row.cpu:.2f}",
        "" if row.to_base is None else f"{row.to_base.median:.2f}",
        _interval(row.to_base, 1, 2) if row.to_base is not None else "",
        "" if promise is None else f"≥ {promise:.2f}",
        row.verdict,
    )


def _problems(result: Result) -> Sheet:
    rows: list[tuple[str, ...]] = [(one.step, one.what) for one in result.problems]
    return Sheet("Trials that failed", ("trial", "why"), rows, left=2)


def _cell(cell: CellEntry) -> tuple[str, ...]:
    return cell.acks, f"{cell.linger_ms:g}", format_size(cell.batch_size), cell.compression


def _interval(spread: Spread | None, factor: float, digits: int) -> str:
    if spread is None:
        return UNKNOWN
    return f"{spread.low * factor:,.{digits}f}-{spread.high * factor:,.{digits}f}"


def _remarks(cell: CellEntry, sums: Sums, result: Result, first: str = "") -> str:
    found = [first, same_as_one(cell, result.broker.replication)]
    found += [f"{sums.unaccounted} of {sums.trials} trials do not add up"] if sums.unaccounted else []
    found += [f"{sums.failed:,} failed"] if sums.failed else []
    found += [f"{sums.surplus:,} more in the topic than delivered"] if sums.surplus else []
    return "; ".join(one for one in found if one)
