"""Log lines: one event each, with one identity (app, slot, pid, generation), as JSON for programs or text for people.

`configure` is called once per process, right after it exists; `secrets` are cut out of every line, tracebacks included.
Nothing here raises or waits, whatever the fields are and whoever reads standard error.
"""

import logging
import os
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from string import Formatter
from typing import IO, Any, Final

from pythonjsonlogger.core import RESERVED_ATTRS
from pythonjsonlogger.json import JsonFormatter

from . import clock, events
from .events import Event
from .outlet import Outlet, open_sink
from .redact import LONGEST_TRACE, cut, hide, redact, tame
from .spec import LogSpec

__all__ = ["Identity", "configure", "emit", "flush", "redact"]

NAME: Final = "kherd"
IDENTITY: Final = ("time", "level", "event", "message", "app", "role", "pid", "slot", "generation")
"""Fields of every line; an event's own fields never take their place."""
LONG: Final = frozenset({"stacks", "traceback"})
COLORS: Final = {logging.WARNING: "\x1b[33m", logging.ERROR: "\x1b[1;31m", logging.DEBUG: "\x1b[2m"}
_PLAIN: Final = frozenset(RESERVED_ATTRS) | {"event", "fields", "said", "taskName"}
_CONTROLS: Final = {code: f"\\x{code:02x}" for code in (*range(32), *range(127, 160)) if chr(code) not in "\n\t"}


@dataclass(slots=True)
class Identity:
    """Who writes: `role` is `supervisor`, `mold`, `worker`, `liaison`, `exporter` or `broker`; slot is a worker's."""

    app: str = "kherd"
    role: str = "kherd"
    slot: int | None = None
    generation: int | None = None


_identity = Identity()


def configure(spec: LogSpec, identity: Identity, *, secrets: Iterable[str] = (), stream: IO[str] | None = None) -> None:
    """Send this process' events to `stream` (stderr) in the format of `spec`; may be called again after a fork."""
    global _identity  # noqa: PLW0603 - a process has one identity
    _identity = identity
    hide(secrets)
    target = stream or sys.stderr
    logger = logging.getLogger(NAME)
    for old in [handler for handler in logger.handlers if isinstance(handler, _Handler)]:
        logger.removeHandler(old)
        old.close()
    logger.addHandler(_Handler(target, _Json() if spec.format == "json" else _Text(_colored(target))))
    logger.setLevel(spec.level.upper())
    logger.propagate = False


def emit(event: Event, *, error: object = None, **fields: Any) -> None:
    """Log `event` with `fields`; an `error` that is an exception adds its traceback."""
    level = logging.getLevelName(event.level.upper())
    logger = logging.getLogger(NAME)
    if not logger.isEnabledFor(level):
        return
    if error is not None:
        fields["error"] = error
    shown = {name: tame(value, LONGEST_TRACE) if name in LONG else tame(value) for name, value in fields.items()}
    raised = error if isinstance(error, BaseException) else None
    logger.log(level, "%s", sentence(event, shown), exc_info=raised, extra=_extra(event, shown))


def flush(seconds: float = 0.0) -> None:
    """Send lines that a full pipe has kept back, waiting at most `seconds`: before a process ends, and now and then."""
    for handler in logging.getLogger(NAME).handlers:
        if isinstance(handler, _Handler):
            handler.flush_outlet(seconds)


def sentence(event: Event, fields: dict[str, Any]) -> str:
    """Return what `event` says of `fields`; a field that is missing or of the wrong kind is shown as it is."""
    try:
        return event.says.format_map(fields)
    except (KeyError, ValueError, TypeError, IndexError, AttributeError):
        return f"{event.says} {fields}"


@cache
def named_in(says: str) -> frozenset[str]:
    """Return the fields that a sentence names."""
    return frozenset(name for _, name, _, _ in Formatter().parse(says) if name)


class _Handler(logging.Handler):
    """Formats a record and hands it to the outlet, after a word about lines that were lost before it."""

    def __init__(self, stream: IO[str] | None, formatter: logging.Formatter) -> None:
        super().__init__()
        self.setFormatter(formatter)
        self.outlet = Outlet(open_sink(stream))

    def emit(self, record: logging.LogRecord) -> None:
        self.outlet.flush()
        if self.outlet.lost and self.outlet.clear:
            lost, self.outlet.lost = self.outlet.lost, 0
            self.outlet.write(self._line(_record_of(events.LINES_LOST, count=lost)))
        self.outlet.write(self._line(record))

    def flush_outlet(self, seconds: float) -> None:
        """Send what waits."""
        self.acquire()
        try:
            self.outlet.flush(seconds)
        finally:
            self.release()

    def _line(self, record: logging.LogRecord) -> bytes:
        try:
            text = self.format(record)
        except Exception as error:  # noqa: BLE001 - a user's logger may be given anything; a line about it is better than none
            text = self.format(_record_of(events.LINE_BROKEN, logger=record.name, reason=tame(error)))
        return (text + "\n").encode(errors="backslashreplace")

    def close(self) -> None:
        self.outlet.close()
        super().close()


class _Json(JsonFormatter):
    """One JSON object per line: time, level, event, message, identity, then the event's fields."""

    def add_fields(self, log_data: dict[str, Any], record: logging.LogRecord, message_dict: dict[str, Any]) -> None:
        del message_dict
        log_data["time"] = clock.iso(record.created)
        log_data["level"] = record.levelname.lower()
        log_data["event"] = getattr(record, "event", "log")
        log_data["message"] = tame(record.getMessage(), LONGEST_TRACE)
        log_data.update({"app": _identity.app, "role": _identity.role, "pid": os.getpid()})
        place = {"slot": _identity.slot, "generation": _identity.generation}
        log_data.update({name: value for name, value in place.items() if value is not None})
        for name, value in _fields_of(record).items():
            log_data.setdefault(name, value)
        if record.exc_info:
            log_data["traceback"] = _trace(self, record)


class _Text(logging.Formatter):
    """A line for a person at a terminal: local time, level, who, the sentence, then what the sentence does not say."""

    def __init__(self, colored: bool) -> None:
        super().__init__()
        self._colored = colored

    def format(self, record: logging.LogRecord) -> str:
        who = _identity.role if _identity.slot is None else f"{_identity.role} {_identity.slot}"
        at = datetime.fromtimestamp(record.created).astimezone().strftime("%H:%M:%S.%f")[:-3]
        said = tame(record.getMessage(), LONGEST_TRACE).translate(_CONTROLS)
        line = f"{at} {record.levelname.lower():7} {who:10} {said}"
        in_sentence: frozenset[str] = getattr(record, "said", frozenset())
        more = "".join(f"  {name}={value}" for name, value in _fields_of(record).items() if name not in in_sentence)
        line += more.translate(_CONTROLS).replace("\n", "\\n")
        if record.exc_info:
            line += "\n" + _trace(self, record).translate(_CONTROLS)
        line = line.replace("\n", "\n    ")
        return f"{COLORS[record.levelno]}{line}\x1b[0m" if self._colored and record.levelno in COLORS else line


def _fields_of(record: logging.LogRecord) -> dict[str, Any]:
    """Return an event's fields, or the `extra` of a line of the user's own."""
    fields: dict[str, Any] | None = getattr(record, "fields", None)
    if fields is not None:
        return fields
    own: dict[str, Any] = {"logger": record.name}
    own.update((name, tame(value)) for name, value in record.__dict__.items() if name not in _PLAIN)
    return own


def _trace(formatter: logging.Formatter, record: logging.LogRecord) -> str:
    if not record.exc_info or record.exc_info[0] is None:
        return ""
    return cut(redact(formatter.formatException(record.exc_info)), LONGEST_TRACE)


def _extra(event: Event, fields: dict[str, Any]) -> dict[str, Any]:
    return {"event": event.name, "fields": fields, "said": named_in(event.says)}


def _record_of(event: Event, **fields: Any) -> logging.LogRecord:
    level = logging.getLevelName(event.level.upper())
    record = logging.LogRecord(NAME, level, "", 0, sentence(event, fields), None, None)
    record.__dict__.update(_extra(event, fields))
    return record


def _colored(stream: IO[str] | None) -> bool:
    try:
        return stream is not None and stream.isatty() and not os.environ.get("NO_COLOR")
    except ValueError:  # closed
        return False
