"""One short name for one kind of failure, equal on every host and after every edit that only moves lines."""

import hashlib
from collections.abc import Sequence
from typing import Final

FRAMES: Final = 5
"""Innermost frames that count: more, and one fault reached by two callers would be two kinds."""


def fingerprint(class_name: str, frames: Sequence[tuple[str, str]]) -> str:
    """Return 16 hexadecimal digits for an exception class and its (file name, function name) frames, outermost first.

    Of a file name the last two parts count, so that two hosts may hold the code in different places; line numbers
    and the message (which often carries an id) do not.
    """
    parts = [class_name, *(f"{_short(file)}:{function}" for file, function in frames[-FRAMES:])]
    return hashlib.sha256("\n".join(parts).encode("utf-8", "backslashreplace")).hexdigest()[:16]


def _short(file: str) -> str:
    return "/".join(file.replace("\\", "/").split("/")[-2:])
