"""RESULT.json: every trial, and all that is needed to judge and repeat them. Version 1.

Fields may be added within a version; readers leave out what they do not know. A changed meaning is another version.
"""

import json
from pathlib import Path
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from .files import ResultError, load, write_text
from .matrix import Acks, Contender

__all__ = ["FORMAT", "VERSION", "Broker", "Result", "ResultError", "read", "write", "write_text"]

FORMAT: Final = "kherd-bench"
VERSION: Final = 1


class _Entry(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False)


class Broker(_Entry):
    """What was measured against."""

    kind: Literal["embedded", "harness", "given"]
    brokers: int = Field(ge=1)
    replication: int = Field(ge=1)
    min_insync: int = Field(ge=1)
    version: str | None = None


class LoadEntry(_Entry):
    """See `matrix.Load`."""

    model_config = ConfigDict(extra="allow")

    size: int
    entropy: float
    partitions: int
    fraction: float
    warmup: float
    seconds: float
    rounds: int


class FaultEntry(_Entry):
    """See `matrix.Fault`."""

    model_config = ConfigDict(extra="allow")

    rate: int
    seconds: float


class ConsumeEntry(_Entry):
    """See `matrix.Consume`."""

    model_config = ConfigDict(extra="allow")

    records: int
    size: int
    contenders: tuple[Contender, ...]


class MatrixEntry(_Entry):
    """The matrix as it was measured: what reports need of it by name, and the rest."""

    model_config = ConfigDict(extra="allow")

    load: LoadEntry
    fault: FaultEntry
    consume: ConsumeEntry


class CellEntry(_Entry):
    """One combination of producer settings, with the client's whole configuration (secrets cut out)."""

    label: str
    acks: Acks
    linger_ms: float
    batch_size: int
    compression: str
    client: dict[str, str]


class Counts(_Entry):
    """See `accounting.Account`."""

    produced: int
    delivered: int
    failed: int
    written: int


class Quantiles(_Entry):
    """Seconds, exact (nearest rank) over `count` records."""

    p50: float
    p90: float
    p99: float
    p999: float
    max: float
    count: int


class RateTrial(_Entry):
    """As fast as it goes; within a window of `seconds`, `records` were reported delivered, `sent` were produced."""

    cell: str
    round: int
    control: bool
    seconds: float = Field(gt=0)
    records: int = Field(ge=0)
    sent: int | None = None
    cpu_seconds: float
    full_share: float
    """Share of the window in which the client's queue was full."""
    batch_records: float | None = None
    wire_ratio: float | None = None
    rtt_ms: float | None = None
    queued_ms: float | None = None
    account: Counts
    error: str = ""


class PacedTrial(_Entry):
    """`rate` records per second by a schedule; latency is from due time to delivery report."""

    cell: str
    round: int
    control: bool
    rate: int
    seconds: float
    latency: Quantiles | None
    send_delay: Quantiles | None
    account: Counts
    error: str = ""


class FaultTrial(_Entry):
    """The topic's leader was killed; see `accounting.Findings`. `longest` is the worst latency in seconds."""

    acks: Acks
    round: int
    rate: int
    seconds: float
    killed_after: float
    stall: float
    produced: int
    delivered: int
    failed: int
    lost: int
    duplicated: int
    undead: int
    longest: float | None
    error: str = ""


class ConsumeTrial(_Entry):
    """One contender read the topic, from its first record to its last."""

    contender: Contender
    round: int
    seconds: float = Field(gt=0)
    cpu_seconds: float
    records: int


class Problem(_Entry):
    """A trial that did not come to its end."""

    step: str
    what: str


class Result(BaseModel):
    """A run."""

    model_config = ConfigDict(extra="ignore", allow_inf_nan=False)

    format: Literal["kherd-bench"] = "kherd-bench"
    version: Literal[1] = 1
    complete: bool = False
    began: str
    seconds: float = 0.0
    command: str
    seed: int
    environment: dict[str, Any]
    broker: Broker
    matrix: MatrixEntry
    control: str
    cells: list[CellEntry]
    rate: list[RateTrial] = Field(default_factory=list)
    paced: list[PacedTrial] = Field(default_factory=list)
    fault: list[FaultTrial] = Field(default_factory=list)
    consume: list[ConsumeTrial] = Field(default_factory=list)
    problems: list[Problem] = Field(default_factory=list)


def read(path: Path) -> Result:
    """Return the result in a file; raises ResultError."""
    return load(path, Result, FORMAT, VERSION)


def write(result: Result, path: Path) -> None:
    """Write the result in one step: a reader never finds half of it. Raises OSError."""
    write_text(path, json.dumps(result.model_dump(), indent=1) + "\n")
