"""What configuration values may look like: durations, sizes, names."""

import math
import re
from typing import Annotated, Any, Final

from pydantic import BeforeValidator, Field

_DURATION: Final = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)")
_SECONDS: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0}
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")
_SIZE: Final = re.compile(r"(\d+)\s*(B|KiB|MiB|GiB|KB|MB|GB)", re.IGNORECASE)
_BYTES: Final = {"b": 1, "kib": 2**10, "mib": 2**20, "gib": 2**30, "kb": 10**3, "mb": 10**6, "gb": 10**9}
LONGEST: Final = 365 * 86_400.0


def parse_duration(value: Any) -> float:
    """Return seconds; raises ValueError for what is neither a number nor like "30s", "5m", "100ms"."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        # Not a TypeError: pydantic turns only a ValueError into a problem.
        raise ValueError('must be a duration like "30s" or "5m", or seconds')  # noqa: TRY004 - see above
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
    if isinstance(value, str) and _CONTROL.search(value):
        raise ValueError("must not hold control characters")
    return value


def _shaped(pattern: str, description: str) -> BeforeValidator:
    """Return a validator of text that must match `pattern`, described in words."""
    compiled = re.compile(pattern)

    def check(value: Any) -> Any:
        if isinstance(value, str) and compiled.fullmatch(value) is None:
            raise ValueError(f"must be {description}")
        return value

    return BeforeValidator(check)


Duration = Annotated[float, BeforeValidator(parse_duration)]
Size = Annotated[int, BeforeValidator(parse_size)]
Property = Annotated[str, BeforeValidator(parse_property)]
Text = Annotated[str, BeforeValidator(_no_control), Field(min_length=1)]
Name = Annotated[str, _shaped(r"[A-Za-z0-9._-]{1,100}", "1 to 100 letters, digits, dots, underscores or dashes")]
Reference = Annotated[str, _shaped(r"[A-Za-z_][\w.]*:[A-Za-z_][\w.]*", '"module:attribute"')]
Address = Annotated[str, _shaped(r"[^\s:]+:\d{1,5}", '"host:port"')]
Topic = Annotated[str, BeforeValidator(_no_control), Field(min_length=1, max_length=249)]
