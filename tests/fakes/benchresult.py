"""A result of `kherd bench` by hand: two cells, three rounds, a kill, two contenders."""

from typing import Any

from kherd.bench.matrix import Axes, Matrix, cells_of
from kherd.bench.result import Result

MATRIX = Matrix(cells=(Axes(acks=("1", "idempotent"), linger_ms=(5.0,), batch_size=(16_384,)),))
ONE, ALL = (cell.label for cell in cells_of(MATRIX))
WHOLE = {"produced": 100, "delivered": 100, "failed": 0, "written": 100}


def rate(cell: str, number: int, records: int, *, control: bool = False, **counts: int) -> dict[str, Any]:
    return {
        "cell": cell, "round": number, "control": control, "seconds": 2.0, "records": records, "sent": records,
        "cpu_seconds": 1.0,
        "full_share": 0.0, "batch_records": 10.0, "wire_ratio": 1.1, "account": {**WHOLE, **counts},
    }  # fmt: skip


def paced(cell: str, number: int, p99: float, **counts: int) -> dict[str, Any]:
    late = {"p50": p99 / 4, "p90": p99 / 2, "p99": p99, "p999": p99 * 2, "max": p99 * 3, "count": 50}
    return {
        "cell": cell, "round": number, "control": False, "rate": 1000, "seconds": 2.0, "latency": late,
        "send_delay": late, "account": {**WHOLE, **counts},
    }  # fmt: skip


def fault(acks: str, lost: int, duplicated: int) -> dict[str, Any]:
    return {
        "acks": acks, "round": 1, "rate": 20_000, "seconds": 4.0, "killed_after": 0.7, "stall": 0.3, "produced": 100,
        "delivered": 100, "failed": 0, "lost": lost, "duplicated": duplicated, "undead": 0, "longest": 5.0,
    }  # fmt: skip


def consume(contender: str, number: int, seconds: float) -> dict[str, Any]:
    return {"contender": contender, "round": number, "seconds": seconds, "cpu_seconds": 1.0, "records": 1000}


def document(**changes: Any) -> dict[str, Any]:
    """Return the JSON document of a run in which nothing went wrong, with other values under the names in `changes`."""
    rounds = (1, 2, 3)
    cells = [
        {
            "label": cell.label, "acks": cell.acks, "linger_ms": cell.linger_ms, "batch_size": cell.batch_size,
            "compression": cell.compression, "client": cell.properties(),
        }
        for cell in cells_of(MATRIX)
    ]  # fmt: skip
    made: dict[str, Any] = {
        "format": "kherd-bench",
        "version": 1,
        "complete": True,
        "began": "2026-01-02T03:04:05.678Z",
        "seconds": 61.0,
        "command": "kherd bench run --seed 7",
        "seed": 7,
        "environment": {"cpu": "Toy", "cores": 2, "kernel": "Linux 6", "kherd": "0.1.0", "git": "abc"},
        "broker": {"kind": "harness", "brokers": 3, "replication": 3, "min_insync": 2, "version": "4.1.1"},
        "matrix": MATRIX.model_dump(mode="json"),
        "control": ONE,
        "cells": cells,
        "rate": [
            *(rate(ONE, number, 200, control=True) for number in (*rounds, 4)),
            *(rate(ONE, number, 200 + number) for number in rounds),
            *(rate(ALL, number, 100 + number) for number in rounds),
        ],
        "paced": [paced(cell, number, number / 1000) for cell in (ONE, ALL) for number in rounds],
        "fault": [fault("1", 12, 0), fault("idempotent", 0, 0)],
        "consume": [consume(name, number, 1 + number / 100) for name in ("consume", "record") for number in rounds],
        "problems": [],
    }
    return {**made, **changes}


def result(**changes: Any) -> Result:
    """Return that run as it is read."""
    return Result.model_validate(document(**changes))
