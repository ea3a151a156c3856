"""A small JSON document in the state folder that outlives the supervisor: written in one step, never trusted blindly.

It is not synced, which could block: kill -9 loses nothing of it, a power failure may undo the last change.
"""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Final, TypeVar

from .config.errors import ConfigError
from .config.files import read_text
from .decide.halts import DocumentError

LONGEST: Final = 4 * 2**20
T = TypeVar("T")


class StateFile:
    """The file at `path`; an OSError of its folder comes through."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def write(self, document: object) -> None:
        """Replace the file by one that holds `document`. Raises OSError: no room, say; the old one stays."""
        new = self.path.with_suffix(".new")
        new.unlink(missing_ok=True)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        with os.fdopen(os.open(new, flags, 0o600), "w") as file:
            json.dump(document, file)
        new.replace(self.path)

    def delete(self) -> None:
        """Delete the file if there is one; works on a full disk, too."""
        self.path.unlink(missing_ok=True)

    def read(self, parse: Callable[[object], T]) -> T | None:
        """Return what `parse` makes of the document; None if there is no file.

        Raises:
            DocumentError: it cannot be read, or `parse` has raised this; says why.
        """
        if not os.path.lexists(self.path):
            return None
        try:
            return parse(json.loads(read_text(self.path, LONGEST)))
        except ConfigError as error:
            raise DocumentError(error.problems[0].removeprefix(f"{self.path}: ")) from None
        except (ValueError, RecursionError) as error:
            raise DocumentError(f"it is no JSON: {error}") from None
