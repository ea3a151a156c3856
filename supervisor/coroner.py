"""What is told of a death: the report that goes into a dead letter, and the row of a suspect in the status."""

import socket
from typing import Any

from ..worker import clock
from ..worker.decide.headers import STACK_LIMIT, shorten
from ..worker.decide.suspects import Report, Suspect
from .decide.cause import Cause
from .process.handle import Process


def report(name: str, process: Process, cause: Cause, stacks: str) -> Report:
    """Return the report of the end of `process`, of the child `name`, which wrote `stacks` at last."""
    now = clock.wall()
    return Report(
        cause=cause.text,
        stage="TIMEOUT" if cause.kind == "hang" else "CRASH",
        worker=f"{name}@{socket.gethostname()} pid {process.pid}",
        first=now,
        last=now,
        signal=process.signal,
        exit_code=process.exit_code,
        peak_rss=process.peak_rss,
        stack=shorten(stacks, STACK_LIMIT),  # the innermost frames come first
    )


def row(suspect: Suspect) -> dict[str, Any]:
    """Return a suspect for the status document."""
    told = suspect.report
    return {
        "topic": suspect.topic,
        "partition": suspect.partition,
        "first": suspect.first,
        "last": suspect.last,
        "crashes": suspect.crashes,
        "verdict": suspect.verdict.value,
        "cause": told.cause if told else None,
        "since": clock.iso(told.first) if told else None,
    }
