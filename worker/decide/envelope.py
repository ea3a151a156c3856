"""The JSON envelope of a dead letter: text as UTF-8, anything else as base64, so that both come back byte for byte."""

import base64
import json
from typing import Any, Final

ENCODING: Final = "base64"


def envelope(
    *, topic: str, partition: int, offset: int, key: bytes | None, value: bytes | None, error: str, timestamp: str
) -> bytes:
    """Return the envelope; `timestamp` is when it failed, ISO 8601 UTC. A null key or value stays null."""
    fields: dict[str, Any] = {"original_topic": topic, "original_partition": partition, "original_offset": offset}
    for name, data in (("original_key", key), ("original_value", value)):
        fields[name], encoding = _text(data)
        if encoding is not None:
            fields[f"{name}_encoding"] = encoding
    fields |= {"error": error, "timestamp": timestamp}
    return json.dumps(fields, ensure_ascii=False).encode("utf-8", "backslashreplace")


def original(fields: dict[str, Any], name: str) -> bytes | None:
    """Return the bytes of `original_key` or `original_value` from a parsed envelope.

    Raises:
        ValueError: an unknown encoding, or text that is not base64.
    """
    text, encoding = fields[name], fields.get(f"{name}_encoding")
    if text is None:
        return None
    if encoding is None:
        return str(text).encode()
    if encoding != ENCODING:
        raise ValueError(f"{name}_encoding is {encoding!r}; known is {ENCODING!r}")
    return base64.b64decode(text, validate=True)


def _text(data: bytes | None) -> tuple[str | None, str | None]:
    if data is None:
        return None, None
    try:
        return data.decode(), None
    except UnicodeDecodeError:
        return base64.b64encode(data).decode(), ENCODING
