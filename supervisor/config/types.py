"""What configuration values may look like: durations, sizes, names."""

import math
import re
from typing import Annotated, Any, Final

from pydantic import BeforeValidator, Field

_DURATION: Final = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)")
_SECONDS: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0}
_SIZE: Final = re.compile(r"(\d+)\s*(B|KiB|MiB|GiB|KB|MB|GB)", re.IGNORECASE)
_BYTES: Final = {"b": 1, "kib": 2**10, "mib": 2**20, "gib": 2**30, "kb": 10**3, "mb": 10**6, "gb": 10**9}
LONGEST: Final = 365 * 86_400.0


def parse_duration(value: Any) -> float:
    """Return seconds; raises ValueError for what is neither a number nor like "30s", "5m", "100ms"."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise ValueError('must be a duration like "30s" or "5m", or seconds')
    seconds = _duration_text(value) if isinstance(value, str) else float(value)
    if not math.isfinite(seconds) or not 0 <= seconds <= LONGEST:
        raise ValueError("must be a duration from 0 to 365 days")
    return seconds


def _duration_text(text: str) -> float:
    match = _DURATION.fullmatch(text.strip())
    if match is None:
        raise ValueError('must be a duration like "30s" or "5m", or seconds')
    return float(match[1]) * _SECONDS[match[2]]


def parse_size(value: Any) -> int:
    """Return bytes; raises ValueError for what is neither a whole number nor like "16MiB"."""
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    match = _SIZE.fullmatch(value.strip()) if isinstance(value, str) else None
    if match is None:
        raise ValueError('must be a size like "16MiB", or bytes')
    return int(match[1]) * _BYTES[match[2].lower()]


def parse_property(value: Any) -> str:
    """Return a librdkafka property's value as librdkafka takes it: text."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | int | float):
        return str(value)
    raise ValueError("must be text, a number, true or false")


def _no_control(value: Any) -> Any:
    if isinstance(value, str) and any(ord(char) < 0x20 or ord(char) == 0x7F for char in value):
        raise ValueError("must not hold control characters")
    return value


Duration = Annotated[float, BeforeValidator(parse_duration)]
Size = Annotated[int, BeforeValidator(parse_size)]
Property = Annotated[str, BeforeValidator(parse_property)]
Text = Annotated[str, BeforeValidator(_no_control), Field(min_length=1)]
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,100}$")]
Topic = Annotated[str, BeforeValidator(_no_control), Field(min_length=1, max_length=249)]
