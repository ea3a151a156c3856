"""Secret values in a configuration: found by the names of their keys, and cut out of whatever is printed."""

import json
import re
from collections.abc import Iterator
from typing import Any, Final
from urllib.parse import quote, unquote

SENSITIVE: Final = re.compile(
    r"passw|pwd|secret|token(?!\.endpoint)|passphrase|credential|userinfo|user\.info|jaas|pem$|\.config$|private"
    r"|webhook|^sasl\.username$|ssl[._]key(?!store)|(^|[._])key$|api.?key",
    re.IGNORECASE,
)
"""librdkafka's own list, Schema Registry's, and what may come: new keys appear in each release. Many a webhook's
address is all that protects it."""
USERNAME: Final = "sasl.username"
REDACTED: Final = "[redacted]"
SHORTEST: Final = 3
"""Shorter values are not looked for in text, where they would be found everywhere; by their keys they are hidden."""
_USERINFO: Final = (
    re.compile(r"//([^/\s@]+)@"),
    re.compile(r"//(\S+)@"),
    re.compile(r"(?:^|[,\s])([^\s,@/:]*:[^\s@]+)@"),
)


def is_sensitive(name: str) -> bool:
    """Whether the value of a key or a variable of this name is a secret."""
    return SENSITIVE.search(name) is not None


class Secrets:
    """The secret values of one configuration."""

    def __init__(self) -> None:
        self.values: set[str] = set()
        self._users: set[str] = set()

    def add(self, value: str) -> None:
        """Remember a value, whole and by its lines."""
        parts = (value, value.strip(), *(line.strip() for line in value.splitlines()))
        self.values.update(part for part in parts if len(part) >= SHORTEST)

    def collect_all(self, document: Any) -> None:
        """Remember the values under sensitive keys, and user information in addresses.

        But a user's name that stands openly elsewhere, as that of the herd or a topic may, is hidden only in its place:
        every line of the log would lose its sense.
        """
        self.collect(document)
        open_words = "\n".join(_texts(document))
        for user in self._users:
            if user not in open_words:
                self.add(user)

    def collect(self, document: Any, name: str = "") -> None:
        """Remember the values under sensitive keys, and user information in addresses."""
        if isinstance(document, dict):
            for key, value in document.items():
                self.collect(value, name if is_sensitive(name) else key)
        elif isinstance(document, list):
            for value in document:
                self.collect(value, name)
        elif name == USERNAME:
            self._users.add(_written(document))
        elif is_sensitive(name):
            self.add(_written(document))
        elif isinstance(document, str):
            self._addresses(document)

    def _addresses(self, text: str) -> None:
        for userinfo in (found for pattern in _USERINFO for found in pattern.findall(text)):
            self.add(userinfo)
            self.add(userinfo.partition(":")[2])

    def redact(self, text: str) -> str:
        """Return `text` without the values, longest first, also as `repr`, JSON and a URL would spell them."""
        spelled = {form for value in self.values for form in _spellings(value)} - {""}
        for form in sorted(spelled, key=lambda form: (-len(form), form)):
            text = text.replace(form, REDACTED)
        return text


def _texts(document: Any, name: str = "") -> Iterator[str]:
    """Yield the texts that are no secrets."""
    if isinstance(document, dict):
        for key, value in document.items():
            yield from _texts(value, name if is_sensitive(name) else key)
    elif isinstance(document, list):
        for value in document:
            yield from _texts(value, name)
    elif isinstance(document, str) and not is_sensitive(name):
        yield document


def _written(value: Any) -> str:
    if isinstance(value, bool):
        return ""
    return value if isinstance(value, str) else repr(value) if isinstance(value, float) else _digits(value)


def _digits(value: Any) -> str:
    try:
        return str(value)
    except ValueError:  # more digits than Python writes, so nobody else will either
        return ""


def _spellings(value: str) -> tuple[str, ...]:
    return (
        value,
        repr(value)[1:-1],
        json.dumps(value)[1:-1],
        json.dumps(value, ensure_ascii=False)[1:-1],
        quote(value, safe="", errors="replace"),
        unquote(value, errors="replace"),
    )
