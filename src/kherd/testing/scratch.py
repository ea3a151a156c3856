"""Temporary folders that do not outlive the run that made them, however it ends.

Each is held by a file lock for as long as its process lives; whoever makes the next one removes those nobody holds.
"""

import fcntl
import os
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Final

PREFIX: Final = "kherd-test-"
HOLD: Final = ".held"


class Scratch:
    """One folder, until `remove` or the end of this process."""

    def __init__(self, name: str) -> None:
        sweep()
        self.path = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{name}-"))
        # Close-on-exec like every descriptor of Python's: children that exec do not keep the folder held.
        self._hold = os.open(self.path / HOLD, os.O_CREAT | os.O_RDWR, 0o600)
        fcntl.flock(self._hold, fcntl.LOCK_EX)

    def remove(self) -> None:
        """Remove the folder; may be called twice."""
        if self._hold < 0:
            return
        shutil.rmtree(self.path, ignore_errors=True)
        os.close(self._hold)
        self._hold = -1


def sweep() -> None:
    """Remove the folders of runs that were killed."""
    for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        # Another user's, one being made this instant (no lock file yet), one removed meanwhile: not ours to touch.
        with suppress(OSError):
            _remove_unheld(folder)


def _remove_unheld(folder: Path) -> None:
    hold = os.open(folder / HOLD, os.O_RDWR)
    try:
        fcntl.flock(hold, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(folder, ignore_errors=True)
    finally:
        os.close(hold)
