"""The header families of a dead letter.

`__dlq.errors.*` is Kafka's own (KIP-1191) with Connect's suffixes added, `kafka_dlt-original-topic` is what the redrive
buttons of user interfaces look for, `kherd.*` is ours. All values are UTF-8 text. Origin headers are written once, on
the first trip, and kept; all others tell of the last failure and are replaced, so that a record never grows by being
put aside again.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

Headers = tuple[tuple[str, bytes | None], ...]
Stage = Literal["DESERIALIZE", "HANDLE", "PRODUCE", "CRASH", "TIMEOUT", "REVOKED"]
Reason = Literal[
    "handler_rejected", "non_retryable", "retries_exhausted", "crash_quarantine", "timeout", "oversize", "operator"
]

VERSION: Final = "1"
PARTS: Final = ("value", "key", "headers")
"""What `kherd.truncated` may name beside `stacktrace`."""
STACK_LIMIT: Final = 4096
TEXT_LIMIT: Final = 1024

FAMILY: Final = "__dlq.errors."
TOPIC: Final = FAMILY + "topic"
PARTITION: Final = FAMILY + "partition"
OFFSET: Final = FAMILY + "offset"
TIMESTAMP: Final = FAMILY + "timestamp"
TIMESTAMP_TYPE: Final = FAMILY + "timestamp.type"
GROUP: Final = FAMILY + "group"
DELIVERY_COUNT: Final = FAMILY + "delivery.count"
MESSAGE: Final = FAMILY + "message"
CLASS: Final = FAMILY + "exception.class.name"
EXCEPTION_MESSAGE: Final = FAMILY + "exception.message"
STACK: Final = FAMILY + "exception.stacktrace"
STAGE: Final = FAMILY + "stage"
ORIGINAL_TOPIC: Final = "kafka_dlt-original-topic"
OURS: Final = "kherd."
REPLAY_COUNT: Final = OURS + "replay.count"
TRUNCATED: Final = OURS + "truncated"

_ORIGIN: Final = (TOPIC, PARTITION, OFFSET)
_CUT_BYTES: Final = 40
_PARTIAL_LINE: Final = 200


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a record came from; `timestamp` is its own, in ms since the epoch, None if it has none."""

    topic: str
    partition: int
    offset: int
    timestamp: int | None = None
    timestamp_type: str | None = None


@dataclass(frozen=True, slots=True)
class Failure:
    """Why the record is put aside. `first` and `last` are ISO 8601 UTC; `extra` are further `kherd.*` headers."""

    group: str
    attempts: int
    class_name: str
    message: str
    stack: str
    stage: Stage
    reason: Reason
    first: str
    last: str
    worker: str
    fingerprint: str
    extra: tuple[tuple[str, str], ...] = ()


def origin_of(headers: Headers, here: Origin) -> Origin:
    """Return where the record of `headers`, read at `here`, first came from: what an earlier trip says, else `here`."""
    found = {name: value for name, value in reversed(headers) if name.startswith(FAMILY) and value is not None}
    try:
        topic, partition, offset = (found[name].decode() for name in _ORIGIN)
        first = Origin(
            topic, int(partition), int(offset), _number(found.get(TIMESTAMP)), _text(found.get(TIMESTAMP_TYPE))
        )
    except (KeyError, ValueError):  # no earlier trip, or nothing that one of ours could have written
        return here
    return first if first.topic and first.partition >= 0 and first.offset >= 0 else here


def error_headers(headers: Headers, here: Origin, failure: Failure, *, stack: bool, missing: Sequence[str]) -> Headers:
    """Return the headers that a dead letter has beside `kept_headers(headers)`; `missing` names what it leaves out."""
    origin = origin_of(headers, here)
    values = [
        (TOPIC, origin.topic),
        (PARTITION, str(origin.partition)),
        (OFFSET, str(origin.offset)),
        (TIMESTAMP, None if origin.timestamp is None else str(origin.timestamp)),
        (TIMESTAMP_TYPE, origin.timestamp_type),
        (GROUP, failure.group),
        (DELIVERY_COUNT, str(failure.attempts)),
        (MESSAGE, shorten(f"{failure.class_name}: {failure.message}" if failure.message else failure.class_name)),
        (CLASS, shorten(failure.class_name)),
        (EXCEPTION_MESSAGE, shorten(failure.message)),
        (STACK, cap(failure.stack) if stack else None),
        (STAGE, failure.stage),
        *_ours(headers, failure, missing),
    ]
    # another tool may have set it already: its origin came before ours
    redrive = next((value for name, value in headers if name == ORIGINAL_TOPIC), None) or encode(origin.topic)
    return ((ORIGINAL_TOPIC, redrive), *((name, encode(text)) for name, text in values if text is not None))


def kept_headers(headers: Headers) -> Headers:
    """Return the record's own headers, in order and byte for byte, without what `error_headers` writes."""
    return tuple(
        header for header in headers if header[0] != ORIGINAL_TOPIC and not header[0].startswith((FAMILY, OURS))
    )


def cap(stack: str, limit: int = STACK_LIMIT) -> str:
    """Return the end of `stack`, where the innermost frames are, in at most `limit` bytes; line one says of a cut."""
    data = encode(stack)
    if len(data) <= limit:
        return data.decode()
    tail = data[len(data) - (limit - _CUT_BYTES) :].decode("utf-8", "ignore")
    tail = tail[tail.find("\n", 0, _PARTIAL_LINE) + 1 :]
    return f"[{len(data) - len(encode(tail))} bytes cut]\n{tail}"


def shorten(text: str, limit: int = TEXT_LIMIT) -> str:
    """Return the beginning of `text` in at most `limit` bytes of UTF-8."""
    return encode(text)[:limit].decode("utf-8", "ignore")


def encode(text: str) -> bytes:
    """Return `text` as UTF-8; a lone surrogate, legal in a str, is escaped."""
    return text.encode("utf-8", "backslashreplace")


def missing_before(headers: Headers) -> list[str]:
    """Return the parts of the record that an earlier trip could not keep."""
    value = next((value for name, value in headers if name == TRUNCATED), None) or b""
    return [part for part in PARTS if part.encode() in value.split(b",")]


def _ours(headers: Headers, failure: Failure, missing: Sequence[str]) -> Iterable[tuple[str, str | None]]:
    replays = next((_number(value) for name, value in headers if name == REPLAY_COUNT), None)
    absent = dict.fromkeys([*missing, *missing_before(headers)])
    return [
        (OURS + "version", VERSION),
        (OURS + "disposition", failure.reason),
        (OURS + "failure.first", failure.first),
        (OURS + "failure.last", failure.last),
        (OURS + "worker", failure.worker),
        (OURS + "fingerprint", failure.fingerprint),
        (REPLAY_COUNT, str(replays or 0)),
        (TRUNCATED, ",".join(absent) or None),
        *((OURS + name, shorten(text)) for name, text in failure.extra),
    ]


def _number(value: bytes | None) -> int | None:
    try:
        return None if value is None else int(value)
    except ValueError:
        return None


def _text(value: bytes | None) -> str | None:
    return None if value is None else value.decode()


def size(headers: Sequence[tuple[str, bytes | None]]) -> int:
    """Return about how many bytes `headers` take on the wire."""
    return sum(len(encode(name)) + len(value or b"") + 2 for name, value in headers)
