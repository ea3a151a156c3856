"""Reading files that a person names: bounded, and never waiting for somebody to write."""

import os
import stat
from pathlib import Path

from .errors import ConfigError


def read_text(path: Path, longest: int) -> str:
    """Return the text of a regular file of at most `longest` bytes.

    Raises:
        ConfigError: what is wrong with it.
    """
    try:
        # A pipe nobody writes to would be waited for at the opening already.
        fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(fd, "rb") as file:
            kind = os.fstat(file.fileno()).st_mode
            if not stat.S_ISREG(kind):
                what = "a folder" if stat.S_ISDIR(kind) else "no regular file, and a reload reads it again"
                raise ConfigError([f"{path}: is {what}"])
            raw = file.read(longest + 1)
        if len(raw) > longest:
            raise ConfigError([f"{path}: is larger than {longest} bytes"])
        return raw.decode()
    except UnicodeDecodeError as error:
        raise ConfigError([f"{path}: is not UTF-8 text (at byte {error.start})"]) from None
    except (OSError, ValueError) as error:  # ValueError: a zero in the path
        raise ConfigError([f"{path}: {getattr(error, 'strerror', None) or error}"]) from None
