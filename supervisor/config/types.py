"""How configuration values are written. Text is taken for numbers and flags too: `${ENV}` gives nothing else."""

import math
import re
from decimal import Decimal
from typing import Any, Final
from urllib.parse import urlsplit

from ...worker.breakerargs import checked_name

_DURATION: Final = re.compile(r"([0-9]{1,20}(?:\.[0-9]{1,1100})?) *(ms|s|m|h|d)?")
_SECONDS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_SIZE: Final = re.compile(r"([0-9]{1,20}) *(B|KiB|MiB|GiB|KB|MB|GB)?", re.IGNORECASE)
_BYTES: Final = {"b": 1, "kib": 2**10, "mib": 2**20, "gib": 2**30, "kb": 10**3, "mb": 10**6, "gb": 10**9}
_WHOLE: Final = re.compile(r"[+-]?[0-9]{1,18}")
_PERCENT: Final = re.compile(r"([0-9]{1,3}) *%?")
_SHARE: Final = re.compile(r"[0-9]{0,3}(?:\.[0-9]{1,20})?(?<=[0-9])")
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_TOPIC: Final = re.compile(r"(?!\.{1,2}\Z)[A-Za-z0-9._-]{1,249}")
_REFERENCE: Final = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*(\.[A-Za-z_]\w*)*")
_SERVER: Final = re.compile(r"(?:[A-Za-z_]+://)?(\[[0-9A-Fa-f:.]+(?:%\w+)?\]|[A-Za-z0-9._-]+)(?::([0-9]{1,5}))?")
_HOST: Final = re.compile(r"(\[[0-9A-Fa-f:.]+(?:%\w+)?\]|[A-Za-z0-9._-]+)(?::([0-9]{1,5}))?")
_ACCOUNT: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,63}\$?|[0-9]{1,10}")
_MASK: Final = re.compile(r"0{1,2}[0-7]{2}")
_UNPRINTABLE: Final = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
LONGEST: Final = 365 * 86_400.0
LARGEST: Final = 2**50
LOOPBACK: Final = "127.0.0.1"
PORTS: Final = range(1, 1 << 16)
LINK: Final = 'must be an address like "https://host/path"'


def parse_duration(value: Any) -> float:
    """Return seconds; raises ValueError for what is neither a number nor like "30s", "5m", "100ms"."""
    seconds = math.nan
    if isinstance(value, str):
        seconds = _seconds(value)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        seconds = float(value) if abs(value) <= LONGEST else math.inf
    if math.isnan(seconds):
        raise ValueError('must be a duration like "30s", "5m" or "100ms", or seconds')
    if not 0 <= seconds <= LONGEST:
        raise ValueError("must be a duration from 0 to 365 days")
    return seconds


def _seconds(text: str) -> float:
    match = _DURATION.fullmatch(text.strip())
    if match is None:
        return math.nan
    number = float(match[1])
    # Divided, not multiplied by 0.001: only a division gives the float nearest to what is written.
    return number / 1000 if match[2] == "ms" else number * _SECONDS[match[2] or "s"]


def format_duration(seconds: float) -> str:
    """Return `seconds` in the largest unit in which they are whole; `parse_duration` gives exactly the same back."""
    for unit, length in reversed(_SECONDS.items()):
        if seconds and seconds % length == 0:
            return f"{int(seconds // length)}{unit}"
    thousandths = round(seconds * 1000)
    if 0 < thousandths == seconds * 1000 and thousandths / 1000 == seconds:
        return f"{thousandths}ms"
    return f"{Decimal(repr(seconds)).normalize():f}s"


def parse_size(value: Any) -> int:
    """Return bytes; raises ValueError for what is neither a whole number nor like "16MiB"."""
    size = -1
    if isinstance(value, int) and not isinstance(value, bool):
        size = value
    elif isinstance(value, str) and (match := _SIZE.fullmatch(value.strip())):
        size = int(match[1]) * _BYTES[(match[2] or "b").lower()]
    if not 0 <= size <= LARGEST:
        raise ValueError('must be a size like "16MiB", or bytes, up to 1 PiB')
    return size


def format_size(size: int) -> str:
    """Return `size` in the largest unit in which it is whole."""
    for unit in ("GiB", "MiB", "KiB"):
        if size and size % _BYTES[unit.lower()] == 0:
            return f"{size // _BYTES[unit.lower()]}{unit}"
    return f"{size}B"


def parse_percent(value: Any) -> int:
    """Return whole percents; raises ValueError for what is neither like "10%" nor a whole number from 0 to 100."""
    percent = value
    if isinstance(value, str):
        match = _PERCENT.fullmatch(value.strip())
        percent = int(match[1]) if match else None
    if not isinstance(percent, int) or isinstance(percent, bool) or percent not in range(101):
        raise ValueError('must be whole percents like "10%"')
    return percent


def parse_share(value: Any) -> float:
    """Return a share of one; raises ValueError for what is neither a number nor text that reads as one."""
    share = math.nan
    if isinstance(value, str):
        share = float(value) if _SHARE.fullmatch(value.strip()) else math.nan
    elif isinstance(value, int | float) and not isinstance(value, bool):
        share = float(value)
    if math.isnan(share):
        raise ValueError("must be a share of one, like 0.01")
    return share


def format_percent(percent: int) -> str:
    """Return `percent` as `parse_percent` takes it."""
    return f"{percent}%"


def parse_whole(value: Any) -> int:
    """Return a whole number; raises ValueError for anything else, a fraction and a flag included."""
    if isinstance(value, str) and _WHOLE.fullmatch(value.strip()):
        return int(value)
    # Beyond 64 bits no key has a use for it, and Python's own message for it would name no key.
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 1 << 63:
        return value
    raise ValueError("must be a whole number")


def parse_flag(value: Any) -> bool:
    """Return true or false; raises ValueError for anything else."""
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.strip().lower() in {"true", "false"}:
        return value.strip().lower() == "true"
    raise ValueError("must be true or false")


def parse_property(value: Any) -> str:
    """Return a librdkafka property's value as librdkafka takes it: text without a zero."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and math.isfinite(value):
        return f"{Decimal(repr(value)):f}"
    if isinstance(value, int):
        return str(parse_whole(value))
    if isinstance(value, str) and "\0" not in value:
        return value
    raise ValueError("must be text, a number, true or false")


def parse_text(value: Any) -> Any:
    """Return `value`; raises ValueError for text that could command a terminal or end a path early."""
    if isinstance(value, str) and _UNPRINTABLE.search(value):
        raise ValueError("must not hold control characters")
    return value


def parse_name(value: str) -> str:
    """Return `value`; raises ValueError for what cannot be a part of ids and of a path."""
    if not is_name(value):
        raise ValueError("must be up to 100 letters, digits, dots, underscores and dashes, a letter or digit first")
    return value


def is_name(value: str) -> bool:
    """Whether `value` can be a part of ids and of a path."""
    return _NAME.fullmatch(value) is not None


def is_topic(value: str) -> bool:
    """Whether Kafka takes `value` for a topic's name."""
    return _TOPIC.fullmatch(value) is not None


def parse_reference(value: str) -> str:
    """Return `value`; raises ValueError for what is not "module:attribute"."""
    if not _REFERENCE.fullmatch(value):
        raise ValueError('must be "module:attribute", like "orders:handle"')
    return value


def parse_breaker(value: Any) -> str:
    """Return the name of a circuit breaker; raises ValueError for what no `CircuitBreaker` can have."""
    try:
        return checked_name(value)
    except (TypeError, ValueError) as error:
        raise ValueError(str(error).removeprefix("CircuitBreaker: ").partition(", got ")[0]) from None


def parse_account(value: Any) -> str:
    """Return a user's or group's name or number as text; raises ValueError for what can be neither."""
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    # 2**32 - 1 stands for "leave as it is" in setresuid(2).
    if isinstance(text, str) and _ACCOUNT.fullmatch(text) and (not text.isdecimal() or int(text) < (1 << 32) - 1):
        return text
    raise ValueError("must be a name or a number of this machine's users or groups")


def parse_mask(value: Any) -> str:
    """Return a file mode mask as four octal digits; raises ValueError for what is none, or takes from the owner."""
    if isinstance(value, str) and _MASK.fullmatch(value.strip()):
        return value.strip().zfill(4)
    raise ValueError('must be octal digits in quotes like "0027", which leave the owner every right')


def parse_class(value: str) -> str:
    """Return `value`; raises ValueError for what is neither "module:Class" nor the bare name of a builtin one."""
    if not value.isidentifier() and not _REFERENCE.fullmatch(value):
        raise ValueError('must be "module:Class", or the name of a builtin exception')
    return value


def parse_bootstrap(value: str) -> str:
    """Return `value` without spaces; raises ValueError for what is neither "embedded" nor "host:port,…"."""
    servers = [server.strip() for server in value.split(",")]
    for server in servers:
        if (server == "embedded" and len(servers) > 1) or not _is_place(_SERVER.fullmatch(server)):
            raise ValueError('must be "host:port,host:port,…" or "embedded"')
    return ",".join(servers)


def parse_place(value: str) -> str:
    """Return `value`; raises ValueError for what is not "host" or "host:port"."""
    if not _is_place(_HOST.fullmatch(value)):
        raise ValueError('must be "host:port"')
    return value


def parse_listen(value: str) -> str:
    """Return "host:port", the host 127.0.0.1 if there is none; raises ValueError for what names no port."""
    place = f"{LOOPBACK}{value}" if value.startswith(":") else value
    match = _HOST.fullmatch(place)
    if match is None or match[2] is None or not _is_place(match):
        raise ValueError('must be "host:port", or ":port" for this machine alone')
    return place


def parse_link(value: str) -> str:
    """Return `value`; raises ValueError for what is not an http:// or https:// address with a host."""
    try:
        parts = urlsplit(value)
        port = parts.port  # raises for what is not a number of a port
    except ValueError:
        raise ValueError(LINK) from None
    if parts.scheme not in {"http", "https"} or not parts.hostname or port == 0 or any(map(str.isspace, value)):
        raise ValueError(LINK)
    return value


def _is_place(match: re.Match[str] | None) -> bool:
    return match is not None and (match[2] is None or int(match[2]) in PORTS)
