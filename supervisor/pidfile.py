"""`app.pidfile`: tells other programs our pid; the lock, not this file, keeps a second supervisor out."""

import errno
import os
import stat
from contextlib import suppress
from pathlib import Path
from typing import Final

from ..worker import events, log
from .config.errors import ConfigError

LONGEST: Final = 32
"""Bytes of a file that holds a pid; what is longer is somebody's file."""
NO_ROOM: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EIO})
"""What passes by itself: the herd starts without the file."""


class Pidfile:
    """The file at `path`, if there is to be one; written while the lock is held, so a stale pid in it means nothing."""

    def __init__(self, path: Path | None, pid: int) -> None:
        self._path, self._pid = path, pid
        self._trouble: OSError | None = None

    def write(self) -> None:
        """Write our pid, in one step.

        Raises:
            ConfigError: it cannot be written there, now or later.
        """
        if self._path is None:
            return
        try:
            problem = _foreign(self._path)
            if problem is None:
                self._replace(self._path)
                return
        except OSError as error:
            if error.errno in NO_ROOM:
                self._trouble = error
                return
            problem = f"cannot be written by user id {os.geteuid()}: {error.strerror}"
        raise ConfigError([f"app.pidfile: {self._path} {problem}; choose another path"])

    def report(self) -> None:
        """Log that there is no file, if there is none; the log must be configured."""
        if self._trouble is not None:
            log.emit(events.PIDFILE_MISSING, path=str(self._path), reason=self._trouble.strerror)

    def remove(self) -> None:
        """Remove it, if it still holds our pid: a successor may have written its own."""
        if self._path is not None:
            with suppress(OSError):
                if _held(self._path) == self._pid:
                    self._path.unlink()

    def _replace(self, path: Path) -> None:
        new = path.with_name(path.name + ".new")
        new.unlink(missing_ok=True)
        fd = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644)
        try:
            with os.fdopen(fd, "w") as file:
                file.write(f"{self._pid}\n")
            new.replace(path)
        except OSError:
            new.unlink(missing_ok=True)
            raise


def unusable(path: Path) -> str | None:
    """Return what would keep anybody from having a pidfile at `path`; what only some may do is not asked."""
    if not path.parent.is_dir():
        return f"has no folder {path.parent}"
    try:
        return _foreign(path)
    except OSError:  # others may be able to look
        return None


def _foreign(path: Path) -> str | None:
    """Return what else than a pidfile is at `path`: a mistyped path must not cost somebody's file."""
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return None
    if not stat.S_ISREG(mode):
        return "is there already and is no regular file"
    return None if _held(path) is not None or path.stat().st_size == 0 else "is there already and holds no pid"


def _held(path: Path) -> int | None:
    with path.open("rb") as file:
        text = file.read(LONGEST + 1)
    return int(text) if len(text) <= LONGEST and text.strip().isdigit() else None
