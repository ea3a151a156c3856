"""A dead letter, and the smaller ones about the same failure for when it does not fit: without stack, then a stub."""

from dataclasses import dataclass, replace
from enum import IntEnum
from typing import Final, Literal

from .envelope import envelope
from .headers import Failure, Headers, Origin, error_headers, kept_headers, origin_of, shorten, size

KEY_LIMIT: Final = 1024
HEADERS_LIMIT: Final = 4096
"""What a stub keeps of the record's own key and headers, in bytes: whole or not at all."""


class Rung(IntEnum):
    """How much of the record and its failure a letter carries."""

    WHOLE = 0
    NO_STACK = 1
    STUB = 2


@dataclass(frozen=True, slots=True)
class Case:
    """All that any letter about one failed record may carry: the record as it was read at `here`, and why it failed."""

    target: str
    format: Literal["headers", "json"]
    here: Origin
    failure: Failure
    key: bytes | None
    value: bytes | None
    headers: Headers
    missing: tuple[str, ...] = ()
    """Parts of the record that could not be kept at all."""


@dataclass(frozen=True, slots=True)
class Letter:
    """A record to produce to `topic`, to the source's partition where the dead-letter topic has it."""

    topic: str
    partition: int
    key: bytes | None
    value: bytes | None
    headers: Headers
    case: Case
    rung: Rung = Rung.WHOLE

    @property
    def error(self) -> str:
        """The failure in one line, for the log."""
        return _line(self.case.failure)

    @property
    def quarantine(self) -> bool:
        """Whether it is about a record that has killed its process."""
        return self.case.failure.reason == "crash_quarantine"

    def smaller(self) -> "Letter | None":
        """Return the next smaller letter about the same failure; None after the stub."""
        return None if self.rung is Rung.STUB else build(self.case, Rung(self.rung + 1))


def build(case: Case, rung: Rung = Rung.WHOLE) -> Letter:
    """Return the letter of `case` at `rung`."""
    whole = case
    if rung is Rung.STUB:
        case = _stub(case)
    missing = [*(["stacktrace"] if rung else []), *case.missing]
    added = error_headers(whole.headers, case.here, case.failure, stack=not rung, missing=missing)
    return Letter(
        topic=case.target,
        partition=case.here.partition,
        key=case.key,
        value=_value(case, origin_of(whole.headers, case.here)),
        headers=kept_headers(case.headers) + added,
        case=whole,
        rung=rung,
    )


def _stub(case: Case) -> Case:
    missing = list(case.missing)
    key, headers = case.key, case.headers
    if case.value is not None:
        missing.append("value")
    if key is not None and len(key) > KEY_LIMIT:
        key = None
        missing.append("key")
    if size(kept_headers(headers)) > HEADERS_LIMIT:
        headers = ()
        missing.append("headers")
    return replace(case, key=key, value=None, headers=headers, missing=tuple(missing))


def _value(case: Case, origin: Origin) -> bytes | None:
    if case.format == "headers":
        return case.value
    return envelope(
        topic=origin.topic,
        partition=origin.partition,
        offset=origin.offset,
        key=case.key,
        value=case.value,
        error=_line(case.failure),
        timestamp=case.failure.last,
    )


def _line(failure: Failure) -> str:
    return shorten(f"{failure.class_name}: {failure.message}" if failure.message else failure.class_name)
