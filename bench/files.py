"""Files of results: JSON that says its format and version, read with a clear word about what is wrong."""

import json
import os
import tempfile
from pathlib import Path
from typing import Final, TypeVar

from pydantic import BaseModel, ValidationError

LARGEST: Final = 256 * 2**20
SHOWN: Final = 5
M = TypeVar("M", bound=BaseModel)


class ResultError(Exception):
    """A file is no result that can be read; the text says why and what to do."""


def load(path: Path, model: type[M], form: str, version: int) -> M:
    """Return the `model` in a file of that format and version.

    Raises:
        ResultError: it cannot be read, is none, or is of another version.
    """
    try:
        if path.stat().st_size > LARGEST:
            raise ResultError(f"{path}: is larger than {LARGEST} bytes: no result of kherd bench")
        document = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        reason = getattr(error, "strerror", None) or f"is not JSON: {error}"
        raise ResultError(f"{path}: {reason}") from None
    if not isinstance(document, dict) or document.get("format") != form:
        raise ResultError(f'{path}: is no result of kherd bench: it has no "format": "{form}"')
    if document.get("version") != version:
        said = repr(document.get("version"))[:40]
        raise ResultError(
            f"{path}: is of version {said}, this kherd reads version {version}: use the one that wrote it"
        )
    try:
        return model.model_validate(document)
    except ValidationError as error:
        found = [f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors(include_url=False)]
        raise ResultError(f"{path}: is damaged: {'; '.join(found[:SHOWN])}") from None


def write_text(path: Path, text: str) -> None:
    """Write a file in one step. Raises OSError."""
    fd, unfinished = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(fd, "w", encoding="utf-8") as file:
            file.write(text)
        Path(unfinished).chmod(0o644)
        Path(unfinished).replace(path)
    except BaseException:
        Path(unfinished).unlink(missing_ok=True)
        raise
