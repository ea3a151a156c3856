"""The dead letter of a record that has killed its process: what a report tells of the last death, in its headers."""

from typing import Final

from confluent_kafka import Message

from .deadletter import Crash, letter
from .decide.letter import Letter
from .decide.suspects import Report, Suspect
from .spec import WorkerSpec

UNKNOWN: Final = Report(cause="its process died", stage="CRASH", worker="", first=0.0, last=0.0)


def obituary(spec: WorkerSpec, message: Message, suspect: Suspect, *, attempts: int) -> Letter:
    """Return the dead letter for `message`, which is `suspect`."""
    report = suspect.report or UNKNOWN
    return letter(
        spec,
        message,
        Crash(report.cause, report.stack),
        attempts=attempts,
        first_failure=report.first,
        last_failure=report.last,
        stage=report.stage,
        worker=report.worker,
        reason="crash_quarantine",
        extra=_extra(suspect, report),
    )


def _extra(suspect: Suspect, report: Report) -> list[tuple[str, str]]:
    """Return the headers of a crash, named without `kherd.`."""
    found = [
        ("crashes", str(suspect.crashes)),
        ("exit.signal", report.signal),
        ("exit.code", None if report.exit_code is None else str(report.exit_code)),
        ("peak.rss", None if report.peak_rss is None else str(report.peak_rss)),
    ]
    return [(name, value) for name, value in found if value is not None]
