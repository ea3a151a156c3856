"""From a message and the exception it raised to its dead letter: the I/O-free part is `decide.letter`."""

import traceback
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Protocol

from . import clock
from .decide.fingerprint import fingerprint
from .decide.headers import Failure, Headers, Origin, Reason, Stage, cap, encode, shorten
from .decide.letter import Case, Letter, build
from .decide.stacks import frames_of
from .errors import ProcessingError
from .redact import redact
from .spec import DeadLetterSpec, WorkerSpec

__all__ = ["Crash", "Letter", "Reason", "Source", "Stage", "fingerprint_of", "letter", "line_of", "topic_for"]

_OURS: Final = str(Path(__file__).parent)
_LINE_LIMIT: Final = 512
"""Bytes of one line of a stack: a message of a megabyte must not push the frames out."""
_TIMESTAMP_TYPES: Final = {1: "CreateTime", 2: "LogAppendTime"}


class Crash(Exception):  # noqa: N818 - it is not raised: a process that died has raised nothing
    """Stands in a dead letter for the exception; `stack` is what faulthandler has written, or empty."""

    __module__ = "kherd"

    def __init__(self, cause: str, stack: str) -> None:
        super().__init__(cause)
        self.stack = stack


class Source(Protocol):
    """What is read of a `confluent_kafka.Message`."""

    def topic(self) -> str | None: ...  # noqa: D102 - confluent-kafka's own
    def partition(self) -> int | None: ...  # noqa: D102
    def offset(self) -> int | None: ...  # noqa: D102
    def key(self) -> Any: ...  # noqa: D102
    def value(self) -> Any: ...  # noqa: D102
    def headers(self) -> Any: ...  # noqa: D102
    def timestamp(self) -> tuple[int, int]: ...  # noqa: D102


def letter(
    spec: WorkerSpec,
    message: Source,
    error: BaseException,
    *,
    attempts: int,
    first_failure: float,
    last_failure: float,
    stage: Stage,
    worker: str,
    reason: Reason | None = None,
    extra: Sequence[tuple[str, str]] = (),
) -> Letter:
    """Return the dead letter for `message`, whose handling raised `error`.

    Failure times are seconds since the epoch; `worker` is free text that names the process; `reason` is the
    disposition, derived from `error` and `attempts` if not given; `extra` are further `kherd.*` headers, named
    without that prefix.
    """
    here = _origin(message)
    failure = Failure(
        group=spec.group,
        attempts=attempts,
        class_name=_class_name(error),
        message=_message(error),
        stack=_stack(error),
        stage=stage,
        reason=reason or _reason(spec, error, attempts),
        first=clock.iso(first_failure),
        last=clock.iso(last_failure),
        worker=worker,
        fingerprint=fingerprint_of(error),
        extra=tuple(extra),
    )
    key, value, headers = _bytes(message.key()), _bytes(message.value()), _headers(message.headers())
    absent = (("value", message.value(), value), ("key", message.key(), key))
    case = Case(
        target=topic_for(spec.dead_letter, here.topic),
        format=spec.dead_letter.format,
        here=here,
        failure=failure,
        key=key,
        value=value,
        headers=headers,
        missing=tuple(name for name, before, after in absent if before is not None and after is None),
    )
    return build(case)


def fingerprint_of(error: BaseException) -> str:
    """Return what kind of failure `error` is (see `decide.fingerprint`)."""
    return fingerprint(_class_name(error), _frames(error))


def line_of(error: BaseException) -> str:
    """Return `error` in one line, for a person."""
    message = _message(error)
    return shorten(f"{_class_name(error)}: {message}" if message else _class_name(error), _LINE_LIMIT)


def topic_for(spec: DeadLetterSpec, topic: str) -> str:
    """Return the name of the dead-letter topic of source `topic`."""
    return spec.topic.replace("{topic}", topic)


def _origin(message: Source) -> Origin:
    kind, timestamp = message.timestamp()
    name = _TIMESTAMP_TYPES.get(kind)
    return Origin(
        topic=message.topic() or "",
        partition=-1 if (partition := message.partition()) is None else partition,
        offset=-1 if (offset := message.offset()) is None else offset,
        timestamp=timestamp if name else None,
        timestamp_type=name,
    )


def _reason(spec: WorkerSpec, error: BaseException, attempts: int) -> Reason:
    if isinstance(error, ProcessingError):
        return "handler_rejected"
    exhausted = spec.errors.on_exhausted == "dead_letter" and attempts >= spec.errors.max_attempts
    return "retries_exhausted" if exhausted else "non_retryable"


def _bytes(data: object) -> bytes | None:
    """Return what was read from Kafka; a handler may have replaced it by text, or by an object that is lost to us."""
    if isinstance(data, str):
        return encode(data)
    return data if isinstance(data, bytes) else None


def _headers(headers: Any) -> Headers:
    pairs = headers.items() if isinstance(headers, dict) else headers or ()
    return tuple((name, _bytes(value)) for name, value in pairs)


def _class_name(error: BaseException) -> str:
    kind = type(error)
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"


def _message(error: BaseException) -> str:
    try:
        return redact(str(error))
    except Exception as broken:  # noqa: BLE001 - a user's __str__ ran
        return f"<its __str__ raised {type(broken).__name__}>"


def _stack(error: BaseException) -> str:
    if isinstance(error, Crash):
        return redact(error.stack)
    lines = traceback.format_exception(type(error), error, _theirs(error.__traceback__))
    text = redact("".join(lines))
    return cap("\n".join(shorten(line, _LINE_LIMIT) for line in text.split("\n")))


def _frames(error: BaseException) -> list[tuple[str, str]]:
    if isinstance(error, Crash):
        return frames_of(error.stack)
    found = []
    step = _theirs(error.__traceback__)
    while step is not None:
        code = step.tb_frame.f_code
        found.append((code.co_filename, code.co_name))
        step = step.tb_next
    return found


def _theirs(trace: TracebackType | None) -> TracebackType | None:
    """Return `trace` from the first frame of the user's code on; the whole of it if it is all ours."""
    step = trace
    while step is not None and step.tb_frame.f_code.co_filename.startswith(_OURS):
        step = step.tb_next
    return step or trace
