"""The real parts tests stand on come from elsewhere: a part that is missing has a name and a cure."""

import shutil


class MissingPartError(Exception):
    """A real part cannot be had here: locally its tests are skipped, under `CI=true` they fail."""

    def __init__(self, part: str, cure: str) -> None:
        super().__init__(f"no {part}: {cure}")
        self.part = part
        self.cure = cure


def program(name: str, part: str, cure: str) -> str:
    """Return the path of the program `name`.

    Raises:
        MissingPartError: it is not on PATH; `cure` says what to install.
    """
    found = shutil.which(name)
    if found is None:
        raise MissingPartError(part, f"`{name}` is not on PATH; {cure}")
    return found
