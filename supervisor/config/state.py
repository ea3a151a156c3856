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
    """Make the folder, for its owner alone; it must be a real folder of ours, where nobody else can put another one.

    Raises:
        ConfigError: it cannot be made, or is not safe.
    """
    try:
        _make(folder)
        problem = _unsafe(folder)
    except (OSError, ValueError) as error:  # ValueError: a zero in the path
        reason = getattr(error, "strerror", None) or error
        raise ConfigError([f"state.dir: cannot make {folder}: {reason}; choose another state.dir"]) from None
    if problem is not None:
        raise ConfigError([f"state.dir: {problem}"])
    return folder


def _make(folder: Path) -> None:
    """Make the folder and those above it; mkdir's own `parents` would not give them this mode."""
    if not folder.parent.exists():
        _make(folder.parent)
    if not os.path.lexists(folder):
        folder.mkdir(mode=0o700, exist_ok=True)


def _unsafe(folder: Path) -> str | None:
    facts = folder.lstat()
    if not stat.S_ISDIR(facts.st_mode) or facts.st_uid != os.geteuid():
        return f"{folder} is not a folder of user id {os.geteuid()}; choose another state.dir, or remove it"
    if facts.st_mode & 0o022:
        return f"{folder} is writable for others; chmod 700 it"
    # Who owns a folder above could put another in its place, with a control socket of their own in it.
    for above in folder.resolve().parents:
        facts = above.stat()
        if facts.st_uid not in {0, os.geteuid()}:
            return f"{above} belongs to user id {facts.st_uid}, who could replace {folder}; choose another state.dir"
        if facts.st_mode & stat.S_IWOTH and not facts.st_mode & stat.S_ISVTX:
            return f"{above} is writable for everybody, who could replace {folder}; choose another state.dir"
    return None


def _roots(environment: Mapping[str, str]) -> list[Path]:
    """Where folders of herds may be, the one for this user first."""
    temporary = Path(f"/tmp/kherd-{os.geteuid()}")  # noqa: S108 - 0700, and its owner is checked
    runtime = environment.get("XDG_RUNTIME_DIR")
    own = [Path(runtime) / "kherd"] if runtime else []
    system = [Path("/run/kherd")]
    return [*system, *own, temporary] if os.geteuid() == 0 else [*own, temporary, *system]
