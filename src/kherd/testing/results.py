"""Measured numbers of a scenario: said always, kept in tests/results/ when the full counts ran (KHERD_FULL=1)."""

import json
import os
import platform
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

FULL: Final = os.environ.get("KHERD_FULL") == "1"
FOLDER: Final = Path("tests/results")


def count(full: int, reduced: int) -> int:
    """Return how often to do something: `full` times with KHERD_FULL=1."""
    return full if FULL else reduced


def spread(values: Sequence[float]) -> dict[str, float]:
    """Return n, p50, p99 and max; a percentile is the smallest value not exceeded by that share (nearest rank)."""
    ordered = sorted(values)

    def at(percent: int) -> float:
        return ordered[max(0, -(-len(ordered) * percent // 100) - 1)]

    return {"n": len(ordered), "p50": round(at(50), 4), "p99": round(at(99), 4), "max": round(ordered[-1], 4)}


def report(scenario: str, numbers: Mapping[str, Any]) -> None:
    """Say what `scenario` measured (pytest -rP shows it), and write it down after a full run."""
    document = {
        "scenario": scenario,
        **numbers,
        "machine": f"{os.cpu_count()} cores, Python {platform.python_version()}",
    }
    text = json.dumps(document, indent=2)
    sys.stdout.write(f"{text}\n")
    if FULL:
        FOLDER.mkdir(parents=True, exist_ok=True)
        (FOLDER / f"{scenario}.json").write_text(text + "\n")
