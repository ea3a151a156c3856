"""The state folder: where a herd keeps its boards and its control socket, and where clients look for it."""

import os
import stat
from collections.abc import Mapping
from pathlib import Path

from .errors import ConfigError
from .schema import Settings


def state_dir(settings: Settings, environment: Mapping[str, str] = os.environ) -> Path:
    """Return the folder of this herd; with an explicit app.instance its name is NAME@INSTANCE."""
    if settings.state.dir is not None:
        return Path(settings.state.dir)
    if environment.get("RUNTIME_DIRECTORY"):
        return Path(environment["RUNTIME_DIRECTORY"].split(":", 1)[0])
    name = settings.app.name
    if settings.app.instance != "auto":
        name = f"{name}@{settings.app.instance}"
    return _roots(environment)[0] / name


def candidates(app: str, environment: Mapping[str, str] = os.environ) -> list[Path]:
    """Return the folders in which a herd called `app` may be, of any instance, those that exist."""
    found: list[Path] = []
    for root in _roots(environment):
        try:
            names = sorted(entry.name for entry in root.iterdir())
        except OSError:
            continue
        found += [root / name for name in names if name == app or name.startswith(f"{app}@")]
    return found


def prepare(folder: Path) -> Path:
    """Make the folder, for its owner alone; it must be a real folder of ours.

    Raises:
        ConfigError: it cannot be made, or is somebody else's.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        facts = folder.lstat()
    except OSError as error:
        raise ConfigError([f"state.dir: cannot make {folder}: {error.strerror}"]) from None
    if not stat.S_ISDIR(facts.st_mode) or facts.st_uid != os.geteuid():
        raise ConfigError([f"state.dir: {folder} is not a folder of user id {os.geteuid()}; choose another state.dir"])
    if facts.st_mode & 0o022:
        raise ConfigError([f"state.dir: {folder} is writable for others; chmod 700 it"])
    return folder


def _roots(environment: Mapping[str, str]) -> list[Path]:
    """Where folders of herds may be, the one for this user first."""
    temporary = Path(f"/tmp/kherd-{os.geteuid()}")  # noqa: S108 - 0700 and its owner is checked
    runtime = environment.get("XDG_RUNTIME_DIR")
    own = [Path(runtime) / "kherd"] if runtime else []
    system = [Path("/run/kherd")]
    return [*system, *own, temporary] if os.geteuid() == 0 else [*own, temporary, *system]
