"""Secret values in a configuration: found by the names of their keys, and cut out of whatever is printed."""

import re
from typing import Any, Final

SENSITIVE: Final = re.compile(
    r"password|secret|token|passphrase|\.pem$|credential|userinfo|user\.info|jaas|sasl\.username|ssl[._]key|\.config$",
    re.IGNORECASE,
)
REDACTED: Final = "[redacted]"
SHORTEST: Final = 3
"""Shorter values are not looked for in text: they would be found everywhere."""
_USERINFO: Final = re.compile(r"//([^/\s@]+)@")


class Secrets:
    """The secret values of one configuration."""

    def __init__(self) -> None:
        self.values: set[str] = set()

    def add(self, value: str) -> None:
        """Remember a value, whole and by its lines."""
        self.values.update(part for part in (value, *value.splitlines()) if len(part.strip()) >= SHORTEST)

    def collect(self, document: Any, name: str = "") -> None:
        """Remember the values under sensitive keys, and user information in addresses."""
        if isinstance(document, dict):
            for key, value in document.items():
                self.collect(value, key)
        elif isinstance(document, list):
            for value in document:
                self.collect(value, name)
        elif isinstance(document, str):
            if SENSITIVE.search(name):
                self.add(document)
            for userinfo in _USERINFO.findall(document):
                self.add(userinfo)

    def redact(self, text: str) -> str:
        """Return `text` without the values, longest first."""
        for value in sorted(self.values, key=len, reverse=True):
            text = text.replace(value, REDACTED)
        return text
