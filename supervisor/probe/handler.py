"""Whether the handler, and what else a configuration names of the user's code, can be used. Imports user code."""

import importlib
import traceback
from pathlib import Path
from typing import Final

from ...worker import importing
from ...worker.errors import HandlerError
from ...worker.handler import verify
from ...worker.importing import resolve
from ...worker.spec import WorkerSpec

NOT_THEIRS: Final = ("<frozen ", str(Path(importing.__file__).parent), str(Path(importlib.__file__).parent))
LINES: Final = 12
"""Of a traceback: how it ended tells most."""


def examine(spec: WorkerSpec) -> list[str]:
    """Return what is wrong, each with the last lines of its traceback, if user code raised."""
    problems: list[str] = []
    try:
        verify(spec)
    except HandlerError as error:
        problems.append(f"app.handler: {error}{_trace(error)}")
    if spec.kafka.oauth is not None:
        problems += _oauth(spec.kafka.oauth, spec.pythonpath)
    return problems


def _oauth(name: str, pythonpath: tuple[str, ...]) -> list[str]:
    try:
        found = resolve(name, pythonpath)
    except HandlerError as error:
        return [f"kafka.oauth: {error}{_trace(error)}"]
    return [] if callable(found) else [f"kafka.oauth: {name!r} is of type {type(found).__name__}: not callable"]


def _trace(error: HandlerError) -> str:
    """Return how user code came to raise: without the frames that imported it."""
    if error.__cause__ is None:
        return ""
    shown = traceback.TracebackException.from_exception(error.__cause__)
    theirs = [frame for frame in shown.stack if not frame.filename.startswith(NOT_THEIRS)]
    if not theirs:
        return ""
    shown.stack = traceback.StackSummary.from_list(theirs)
    lines = "".join(shown.format()).rstrip().splitlines()
    return "".join(f"\n    {line}" for line in lines[-LINES:])
