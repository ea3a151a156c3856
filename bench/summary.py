"""What the trials of a result come to: medians with intervals, never a best, no figure that does not add up. Pure."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import product
from statistics import median
from typing import Final, TypeVar

from .accounting import Account
from .result import CellEntry, Counts, PacedTrial, RateTrial, Result
from .spread import LEAST_ROUNDS, Ratio, Spread, drift, ratio, spread

MAX_DRIFT: Final = 0.10
"""A control that moved more makes every comparison of the run inconclusive."""
TOLERANCE: Final = 0.05
"""Shares below this are noise: of the time that a queue is full, of records that a queue has grown by."""
LATE: Final = 1.1
"""A paced trial that takes so much longer than its schedule did not keep up."""
Trial = TypeVar("Trial", RateTrial, PacedTrial)
RF1: Final = "same as acks=1 with RF 1"


@dataclass(frozen=True, slots=True)
class Sums:
    """The accounts of a cell's trials together."""

    trials: int
    unaccounted: int
    """Trials of which the client did not report on every record: no figure is taken from them."""
    failed: int
    lost: int
    surplus: int


@dataclass(frozen=True, slots=True)
class RateRow:
    """A cell at its maximum: records per second, CPU seconds per million records."""

    cell: CellEntry
    speed: Spread | None
    cpu: Spread | None
    batch: float | None
    wire: float | None
    bound: str | None
    """What the rate is limited by: `broker` if the client's queue was full or grew, else `client`; None: unknown."""
    to_control: Ratio | None
    sums: Sums


@dataclass(frozen=True, slots=True)
class PacedRow:
    """A cell's latency in seconds: medians over the rounds of each round's exact quantiles."""

    cell: CellEntry
    rate: int
    quantiles: dict[str, Spread]
    send_delay: float | None
    kept_up: bool
    sums: Sums


@dataclass(frozen=True, slots=True)
class FaultRow:
    """An acks setting through the death of its topic's leader."""

    acks: str
    stall: float
    trials: int
    delivered: int
    failed: int
    lost: int
    losses: tuple[int, ...]
    duplicated: int
    undead: int
    longest: float | None


def drift_of(result: Result) -> float | None:
    """Return the control's drift; None if there are too few control trials."""
    return drift([one.records / one.seconds for one in result.rate if one.control and account(one.account).conserved])


def account(counts: Counts) -> Account:
    """Return the account of a trial."""
    return Account(counts.produced, counts.delivered, counts.failed, counts.written)


def rate_rows(result: Result) -> list[RateRow]:
    """Return a row per cell that was measured, in the order of the matrix."""
    rng = random.Random(0)
    controls = {one.round: one for one in result.rate if one.control and _usable(one)}
    return [_rate_row(cell, own, controls, rng) for cell in result.cells if (own := _own(result.rate, cell))]


def _rate_row(
    cell: CellEntry, trials: Sequence[RateTrial], controls: dict[int, RateTrial], rng: random.Random
) -> RateRow:
    good = [one for one in trials if _usable(one)]
    paired = [one for one in good if one.round in controls]
    theirs = [_speed(controls[one.round]) for one in paired]
    return RateRow(
        cell=cell,
        speed=spread([_speed(one) for one in good], rng) if good else None,
        cpu=spread([one.cpu_seconds / one.records * 1e6 for one in good], rng) if good else None,
        batch=_mean(good, lambda one: one.batch_records),
        wire=_mean(good, lambda one: one.wire_ratio),
        bound=_bound(good),
        to_control=ratio([_speed(one) for one in paired], theirs, rng) if paired else None,
        sums=_sums(trials),
    )


def paced_rows(result: Result) -> list[PacedRow]:
    """Return a row per cell whose latency was measured, in the order of the matrix."""
    rng = random.Random(0)
    planned = result.matrix.load.warmup + result.matrix.load.seconds
    return [_paced_row(cell, own, planned, rng) for cell in result.cells if (own := _own(result.paced, cell))]


def _paced_row(cell: CellEntry, trials: Sequence[PacedTrial], planned: float, rng: random.Random) -> PacedRow:
    latencies = [one.latency for one in trials if one.latency is not None and account(one.account).conserved]
    names = ("p50", "p90", "p99", "p999", "max") if latencies else ()
    delays = [one.send_delay.p99 for one in trials if one.send_delay is not None]
    return PacedRow(
        cell=cell,
        rate=trials[0].rate,
        quantiles={name: spread([getattr(one, name) for one in latencies], rng) for name in names},
        send_delay=median(delays) if delays else None,
        kept_up=median(one.seconds for one in trials) <= planned * LATE + cell.linger_ms / 1000,
        sums=_sums(trials),
    )


def fault_rows(result: Result) -> list[FaultRow]:
    """Return a row per stall and acks setting, the latter in the order of the matrix."""
    rows = []
    stalls = sorted({one.stall for one in result.fault})
    for stall, acks in product(stalls, dict.fromkeys(cell.acks for cell in result.cells)):
        trials = [one for one in result.fault if (one.stall, one.acks) == (stall, acks)]
        longest = [one.longest for one in trials if one.longest is not None]
        row = FaultRow(
            acks=acks,
            stall=stall,
            trials=len(trials),
            delivered=sum(one.delivered for one in trials),
            failed=sum(one.failed for one in trials),
            lost=sum(one.lost for one in trials),
            losses=tuple(one.lost for one in trials),
            duplicated=sum(one.duplicated for one in trials),
            undead=sum(one.undead for one in trials),
            longest=max(longest, default=None),
        )
        rows += [row] if trials else []
    return rows


def verdict_of(row: RateRow, control: str, drifted: float | None) -> str:
    """Return what a cell's ratio to the control says."""
    if row.to_control is None or row.cell.label == control:
        return ""
    if drifted is None or drifted > MAX_DRIFT or row.sums.trials < LEAST_ROUNDS:
        return "inconclusive"
    if row.to_control.low <= 1 <= row.to_control.high:
        return "inconclusive"
    return "faster" if row.to_control.low > 1 else "slower"


def same_as_one(cell: CellEntry, replication: int) -> str:
    """Return what has to be said of a row that waits for all of one copy."""
    return RF1 if replication == 1 and cell.acks in {"all", "idempotent"} else ""


def _own(trials: Sequence[Trial], cell: CellEntry) -> list[Trial]:
    return [one for one in trials if one.cell == cell.label and not one.control]


def _usable(trial: RateTrial) -> bool:
    return account(trial.account).conserved and trial.records > 0


def _bound(trials: Sequence[RateTrial]) -> str | None:
    grown = _mean(trials, lambda one: None if one.sent is None else (one.sent - one.records) / one.records)
    full = _mean(trials, lambda one: one.full_share)
    if grown is None or full is None:
        return None
    return "broker" if max(grown, full) > TOLERANCE else "client"


def _speed(trial: RateTrial) -> float:
    return trial.records / trial.seconds


def _mean(trials: Sequence[RateTrial], pick: Callable[[RateTrial], float | None]) -> float | None:
    found = [value for one in trials if (value := pick(one)) is not None]
    return sum(found) / len(found) if found else None


def _sums(trials: Sequence[RateTrial] | Sequence[PacedTrial]) -> Sums:
    accounts = [account(one.account) for one in trials]
    return Sums(
        trials=len(accounts),
        unaccounted=sum(not one.conserved for one in accounts),
        failed=sum(one.failed for one in accounts),
        lost=sum(one.lost for one in accounts),
        surplus=sum(one.surplus for one in accounts),
    )
