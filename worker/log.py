"""Log lines: one event each, with one identity (app, slot, pid, generation), as JSON for programs or text for people.

`configure` is called once per process, right after it exists; `secrets` are cut out of every line, tracebacks included.
"""

import logging
import os
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from typing import IO, Any, Final

from pythonjsonlogger.json import JsonFormatter

from . import clock
from .events import Event
from .spec import LogSpec

NAME: Final = "kherd"
REDACTED: Final = "[redacted]"


@dataclass(slots=True)
class Identity:
    """Who writes: `role` is `supervisor`, `mold`, `worker`, `liaison`, `exporter` or `broker`; slot is a worker's."""

    app: str = "kherd"
    role: str = "kherd"
    slot: int | None = None
    generation: int | None = None


_identity = Identity()
_secrets: set[str] = set()


def configure(spec: LogSpec, identity: Identity, *, secrets: Iterable[str] = (), stream: IO[str] | None = None) -> None:
    """Send this process' events to `stream` (stderr) in the format of `spec`; may be called again after a fork."""
    global _identity  # noqa: PLW0603 - a process has one identity
    _identity = identity
    _secrets.update(secret for secret in secrets if secret)
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(_Json() if spec.format == "json" else _Text())
    logger = logging.getLogger(NAME)
    logger.handlers[:] = [handler]
    logger.setLevel(spec.level.upper())
    logger.propagate = False


def emit(event: Event, *, error: BaseException | None = None, **fields: Any) -> None:
    """Log `event` with `fields`; `error` adds its traceback. A closed or full stderr is not an error."""
    level = logging.getLevelName(event.level.upper())
    logger = logging.getLogger(NAME)
    if logger.isEnabledFor(level):
        logger.log(level, event.says.format_map(_Fields(fields)), exc_info=error, extra={"event": event.name, "fields": fields})


def redact(text: str) -> str:
    """Return `text` without the configured secrets."""
    for secret in _secrets:
        text = text.replace(secret, REDACTED)
    return text


class _Fields(dict[str, Any]):
    """A sentence never fails for a missing field."""

    def __missing__(self, key: str) -> str:
        return f"<{key}>"


class _Json(JsonFormatter):
    """One JSON object per line: time, level, event, message, identity, then the event's fields."""

    def format(self, record: logging.LogRecord) -> str:
        return redact(super().format(record))

    def add_fields(self, log_data: dict[str, Any], record: logging.LogRecord, message_dict: dict[str, Any]) -> None:
        log_data["time"] = clock.iso(record.created)
        log_data["level"] = record.levelname.lower()
        log_data["event"] = getattr(record, "event", "log")
        log_data["message"] = record.getMessage()
        log_data.update({"app": _identity.app, "role": _identity.role, "pid": os.getpid()})
        if _identity.slot is not None:
            log_data["slot"] = _identity.slot
        if _identity.generation is not None:
            log_data["generation"] = _identity.generation
        log_data.update(getattr(record, "fields", {}))
        if record.exc_info:
            log_data["traceback"] = self.formatException(record.exc_info)


class _Text(logging.Formatter):
    """A line for a person at a terminal."""

    def format(self, record: logging.LogRecord) -> str:
        who = _identity.role if _identity.slot is None else f"{_identity.role} {_identity.slot}"
        at = clock.iso(record.created)[11:23]
        line = f"{at} {record.levelname.lower():7} {who:10} {record.getMessage()}"
        if record.exc_info:
            line += "\n" + self.formatException(record.exc_info)
        return redact(line)
