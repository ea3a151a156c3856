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
    """Return n, p50, p99 and max."""
    found = {"p50": percentile(values, 50), "p99": percentile(values, 99), "max": max(values)}
    return {"n": len(values), **{name: round(value, 4) for name, value in found.items()}}


def percentile(values: Sequence[float], percent: int) -> float:
    """Return the smallest value not exceeded by that share of `values` (nearest rank)."""
    ordered = sorted(values)
    return ordered[max(0, -(-len(ordered) * percent // 100) - 1)]


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
