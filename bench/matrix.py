"""What a run measures: every key of a matrix file with its default, and the producer settings that come of its axes."""

import math
from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal

from pydantic import BeforeValidator, Field, model_validator

from ..supervisor.config.kinds import Duration, Properties, Size, Whole
from ..supervisor.config.sections import Section
from ..supervisor.config.types import format_size

Acks = Literal["0", "1", "all", "idempotent"]
Compression = Literal["none", "gzip", "snappy", "lz4", "zstd"]
Contender = Literal["poll", "consume", "record", "batch"]
CONTENDERS: Final[tuple[Contender, ...]] = ("poll", "consume", "record", "batch")
LONGEST_LINGER_MS: Final = 900_000.0
LARGEST_BATCH: Final = 2**31 - 1
NUMBER: Final = 8
"""Bytes at the start of every value: the record's number, so that each delivery and each loss has a name."""


def _acks(value: Any) -> Any:
    """Take 0 and 1 as numbers too, as the client does."""
    text = str(value) if type(value) is int else value
    if text not in {"0", "1", "all", "idempotent"}:
        raise ValueError('must be 0, 1, "all" or "idempotent"')
    return text


def _linger(value: Any) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value <= LONGEST_LINGER_MS:
        raise ValueError(f"must be milliseconds from 0 to {LONGEST_LINGER_MS:.0f}")
    return float(value)


def _share(value: Any) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool) or math.isnan(value) or not 0 <= value <= 1:
        raise ValueError("must be a share from 0 to 1")
    return float(value)


Share = Annotated[float, BeforeValidator(_share)]
Linger = Annotated[float, BeforeValidator(_linger)]


class Load(Section):
    """What is produced, and for how long."""

    size: Annotated[Size, Field(ge=16, le=1_000_000)] = Field(100, description="Bytes of a value.")
    entropy: Share = Field(0.5, description="Share of a value that is random; the rest repeats.")
    partitions: Annotated[Whole, Field(ge=1, le=1000)] = Field(6, description="Of every topic.")
    replication: Annotated[Whole, Field(ge=1, le=9)] | None = Field(None, description="Default: 3, or all brokers.")
    partitioning: Literal["round-robin", "sticky"] = Field(
        "round-robin", description="The n-th record goes to partition n mod P, or where librdkafka sends null keys."
    )
    warmup: Annotated[Duration, Field(ge=0, le=600)] = Field(0.5, description="Before the clock starts.")
    seconds: Annotated[Duration, Field(ge=0.1, le=3600)] = Field(2.0, description="Of a trial.")
    fraction: Annotated[Share, Field(gt=0)] = Field(0.5, description="Of a cell's maximum, for its latency.")
    rounds: Annotated[Whole, Field(ge=1, le=1000)] = Field(3, description="Trials per cell and phase.")


class Axes(Section):
    """Producer settings: every combination of these is a cell."""

    acks: tuple[Annotated[Acks, BeforeValidator(_acks)], ...] = Field(("0", "1", "all", "idempotent"), min_length=1)
    linger_ms: tuple[Linger, ...] = Field((0.0, 5.0, 50.0), min_length=1)
    batch_size: tuple[Annotated[Size, Field(ge=1, le=LARGEST_BATCH)], ...] = Field((16_384, 1_000_000), min_length=1)
    compression: tuple[Compression, ...] = Field(("none",), min_length=1)


class Fault(Section):
    """The broker that leads the topic is killed while records are sent at a fixed rate; needs the harness."""

    trials: Annotated[Whole, Field(ge=1, le=100)] = Field(2, description="Per acks setting and stall.")
    rate: Annotated[Whole, Field(ge=1, le=1_000_000)] = Field(20_000, description="Records per second.")
    seconds: Annotated[Duration, Field(ge=1, le=600)] = Field(4.0, description="Of sending.")
    kill_after: Annotated[Duration, Field(ge=0, le=600)] = Field(0.5, description="And up to a second more, drawn.")
    stalls: tuple[Annotated[Duration, Field(ge=0, le=3)], ...] = Field(
        (0.0, 0.3),
        min_length=1,
        description="How long the followers stand still before the kill, as in a long garbage collection.",
    )


class Consume(Section):
    """Contenders read one topic that was filled before, by turns."""

    records: Annotated[Whole, Field(ge=1, le=100_000_000)] = 500_000
    size: Annotated[Size, Field(ge=16, le=100_000)] = 100
    rounds: Annotated[Whole, Field(ge=1, le=1000)] = 5
    protocol: Literal["consumer", "classic"] = "consumer"
    contenders: tuple[Contender, ...] = Field(CONTENDERS, min_length=1)


class Matrix(Section):
    """A matrix file, checked."""

    load: Load = Field(default_factory=Load)
    cells: tuple[Axes, ...] = Field(
        (
            Axes(),
            Axes(acks=("idempotent",), linger_ms=(5.0,), batch_size=(1_000_000,), compression=("lz4", "zstd")),
        ),
        min_length=1,
    )
    client: Properties = Field(default_factory=dict)
    fault: Fault = Field(default_factory=Fault)
    consume: Consume = Field(default_factory=Consume)

    @model_validator(mode="after")
    def _few_enough(self) -> "Matrix":
        count = sum(
            len(one.acks) * len(one.linger_ms) * len(one.batch_size) * len(one.compression) for one in self.cells
        )
        if count > MOST_CELLS:
            raise ValueError(f"cells: has {count} combinations, more than {MOST_CELLS}: leave values out")
        return self


MOST_CELLS: Final = 1000
QUICK: Final[dict[str, Any]] = {
    "load": {"warmup": 0.2, "seconds": 0.6, "rounds": 2},
    "cells": [{"linger_ms": [0, 5], "batch_size": [16_384], "compression": ["none"]}],
    "consume": {"records": 200_000, "rounds": 3},
}
"""What a quick run takes where the matrix file says nothing."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One combination of producer settings."""

    acks: Acks
    linger_ms: float
    batch_size: int
    compression: Compression

    @property
    def label(self) -> str:
        """Return its name, unique within a matrix."""
        batch = format_size(self.batch_size)
        return f"acks={self.acks} linger={self.linger_ms:g}ms batch={batch} {self.compression}"

    def properties(self) -> dict[str, str]:
        """Return it as librdkafka has it."""
        return {
            **acks_properties(self.acks),
            "linger.ms": f"{self.linger_ms:g}",
            "batch.size": str(self.batch_size),
            "compression.type": self.compression,
        }


def acks_properties(acks: Acks) -> dict[str, str]:
    """Return what `acks` means to librdkafka; idempotence is a row of its own, never mixed with the others."""
    return {
        "acks": "all" if acks == "idempotent" else acks,
        "enable.idempotence": "true" if acks == "idempotent" else "false",
    }


def cells_of(matrix: Matrix) -> list[Cell]:
    """Return every combination once, in the order of the file."""
    found = [
        Cell(acks, linger, batch, compression)
        for axes in matrix.cells
        for compression in axes.compression
        for batch in axes.batch_size
        for linger in axes.linger_ms
        for acks in axes.acks
    ]
    return list(dict.fromkeys(found))
