"""What may leave the process in words: no secret, nothing endless, nothing that JSON does not know."""

import json
import math
from collections.abc import Iterable, Mapping
from enum import Enum
from typing import Any, Final
from urllib.parse import quote

REDACTED: Final = "[redacted]"
LONGEST: Final = 2_000
"""Characters of one text field; a traceback has more (LONGEST_TRACE)."""
LONGEST_TRACE: Final = 16_000
DEEPEST: Final = 6
MOST: Final = 200
"""Items of one list or object."""
LINE_OF_A_SECRET: Final = 8
"""A line of a secret of several lines (a key in PEM) is a secret of its own from so many characters."""

_secrets: list[str] = []


def hide(secrets: Iterable[str]) -> None:
    """Cut `secrets` out of everything from now on, also as JSON, `repr` and a URL would spell them."""
    found = set(_secrets)
    for secret in secrets:
        lines = [line.strip() for line in secret.splitlines()]
        long_lines = [line for line in lines if len(line) >= LINE_OF_A_SECRET and not line.startswith("-----")]
        for text in (secret, secret.strip(), *long_lines):
            found |= {text, repr(text)[1:-1], repr(text.encode())[2:-1], json.dumps(text)[1:-1], quote(text, safe="")}
    # The longest first: one secret may be a part of another.
    _secrets[:] = sorted(found - {""}, key=lambda text: (-len(text), text))


def redact(text: str) -> str:
    """Return `text` without the configured secrets."""
    for secret in _secrets:
        if secret in text:
            text = text.replace(secret, REDACTED)
    return text


def scrub(value: Any) -> Any:
    """Return JSON values with the secrets cut out of every string, keys included; nothing else is changed."""
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, dict):
        return {redact(key): scrub(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [scrub(item) for item in value]
    return value


def tame(value: Any, longest: int = LONGEST, depth: int = 0) -> Any:
    """Return `value` as plain JSON values: redacted, cut to size, whatever it was."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int | float) and not isinstance(value, Enum):
        return _number(value)
    if isinstance(value, str) and not isinstance(value, Enum):
        return cut(redact(value), longest)
    if depth < DEEPEST:
        if isinstance(value, Mapping):
            items = list(value.items())[:MOST]
            return {str(tame(_text(key), longest)): tame(item, longest, depth + 1) for key, item in items}
        if isinstance(value, list | tuple | set | frozenset):
            return [tame(item, longest, depth + 1) for item in list(value)[:MOST]]
    return cut(redact(_text(value)), longest)


def cut(text: str, longest: int) -> str:
    """Return `text` with its middle left out if it is too long: where it began and how it ended tell most."""
    if len(text) <= longest:
        return text
    half = longest // 2
    return f"{text[:half]} … {len(text) - 2 * half} characters left out … {text[-half:]}"


def _number(value: float) -> int | float | str:
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else str(value)
    # Over 300 digits a number costs time to write, and Python refuses over 4,300.
    return int(value) if abs(value) < 10**300 else "a number of more than 300 digits"


def _text(value: object) -> str:
    try:
        if isinstance(value, bytes | bytearray):
            return bytes(value).decode(errors="backslashreplace")
        if isinstance(value, BaseException):
            return f"{type(value).__name__}: {value}"
        if isinstance(value, Enum):
            return value.name.lower()
        return str(value)
    except BaseException as error:  # noqa: BLE001 - a user's __str__ may raise anything, and the line must still be written
        return f"<{type(value).__name__}: its text raised {type(error).__name__}>"
