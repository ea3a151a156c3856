"""A trial's process, from its parent's side: started, watched, ended, its result read."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from ..testing.process import Process, tail
from .jobs import Job, TrialError, encode

PATIENCE: Final = 180.0
"""Seconds beyond its load that a trial may take: more than all its own limits together."""


def run(job: Job, folder: Path, seconds: float, meanwhile: Callable[[Process], None] | None = None) -> dict[str, Any]:
    """Return what a trial of about `seconds` found; `meanwhile` gets the running process.

    Raises:
        TrialError: it failed, or did not end.
    """
    told, result, log = folder / "job.json", folder / "result.json", folder / "log"
    told.touch(mode=0o600)  # client properties may hold a password
    told.write_text(encode(job))
    process = Process([sys.executable, "-m", f"{__package__}.trial", told, result], log=log)
    try:
        if meanwhile is not None:
            meanwhile(process)
        if not process.ended(seconds + PATIENCE):
            raise TrialError(f"no end within {seconds + PATIENCE:.0f} s")
    finally:
        code = process.kill()
    found: dict[str, Any] = json.loads(result.read_text()) if result.exists() else {}
    if code != 0 or not found.keys() - {"error"}:
        raise TrialError(found.get("error") or tail(log, 1).strip() or f"it ended with {code}")
    return found
