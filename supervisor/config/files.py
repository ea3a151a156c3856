"""Reading files that a person names: bounded, and never waiting for somebody to write."""

import os
import stat
from pathlib import Path
from typing import Final

from .errors import ConfigError

NO_FILE: Final = "there is no such file"


def read_text(path: Path, longest: int) -> str:
    """Return the text of a regular file of at most `longest` bytes.

    Raises:
        ConfigError: what is wrong with it.
    """
    try:
        # A pipe nobody writes to would be waited for at the opening already.
        fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(_checked(fd, path), "rb") as file:
            raw = file.read(longest + 1)
        if len(raw) > longest:
            raise ConfigError([f"{path}: is larger than {longest} bytes"])
        return raw.decode()
    except FileNotFoundError:
        raise ConfigError([f"{path}: {NO_FILE}"]) from None
    except UnicodeDecodeError as error:
        raise ConfigError([f"{path}: is not UTF-8 text (at byte {error.start})"]) from None
    except (OSError, ValueError) as error:  # ValueError: a zero in the path
        raise ConfigError([f"{path}: {getattr(error, 'strerror', None) or error}"]) from None


def _checked(fd: int, path: Path) -> int:
    kind = os.fstat(fd).st_mode
    if stat.S_ISREG(kind):
        return fd
    os.close(fd)
    what = "a folder" if stat.S_ISDIR(kind) else "no regular file, and a reload reads it again"
    raise ConfigError([f"{path}: is {what}"])
