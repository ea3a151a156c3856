"""The state folder: where a herd keeps its boards and its control socket, and where clients look for it."""

import os
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from .account import Account
from .errors import ConfigError
from .schema import Settings

SYSTEM: Final = Path("/run/kherd")
"""Where the folders of herds are that root has started: others may look in, not into the folders themselves."""


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


def prepare(folder: Path, account: Account | None = None) -> Path:
    """Make the folder, for its owner alone; it must be a real folder of ours, where nobody else can put another one.

    With an `account` it is for that one, and what root's herd has left in it too.

    Raises:
        ConfigError: it cannot be made, or is not safe.
    """
    owner = _owner(account)
    try:
        _make(folder, above=0o700 if account is None else 0o755)
        if account is not None and folder.parent == SYSTEM:
            SYSTEM.chmod(0o755)  # a herd of root's alone may have left it closed
        problem = unsafe(folder, account)
        if problem is None and account is not None and folder.lstat().st_uid != owner:
            _hand_over(folder, account)
    except (OSError, ValueError) as error:  # ValueError: a zero in the path
        reason = getattr(error, "strerror", None) or error
        raise ConfigError([f"state.dir: cannot make {folder}: {reason}; choose another state.dir"]) from None
    if problem is not None:
        raise ConfigError([f"state.dir: {problem}"])
    return folder


def _make(folder: Path, above: int, mode: int = 0o700) -> None:
    """Make the folder and those above it; mkdir's own `parents` would not give them these modes."""
    if not folder.parent.exists():
        _make(folder.parent, above, above)
    if not os.path.lexists(folder):
        folder.mkdir(mode=0o700, exist_ok=True)
        folder.chmod(0o755 if folder == SYSTEM else mode)


def _hand_over(folder: Path, account: Account) -> None:
    """Give the folder away, itself last: as long as it is root's, nobody can put a link to another file into it."""
    for here, folders, files in os.walk(folder, topdown=False):
        for name in [*folders, *files]:
            os.chown(Path(here, name), account.uid, account.gid, follow_symlinks=False)
    os.chown(folder, account.uid, account.gid, follow_symlinks=False)


def unsafe(folder: Path, account: Account | None = None) -> str | None:
    """Return why a folder that exists cannot be a herd's; for an `account` it may also be ours, who hand it over."""
    facts, owner = folder.lstat(), _owner(account)
    if account is not None and facts.st_uid == os.geteuid():
        owner = os.geteuid()
    if not stat.S_ISDIR(facts.st_mode) or facts.st_uid != owner:
        return f"{folder} is not a folder of user id {owner}; choose another state.dir, or remove it"
    if facts.st_mode & 0o022:
        return f"{folder} is writable for others; chmod 700 it"
    # Who owns a folder above could put another in its place, with a control socket of their own in it.
    for above in folder.resolve().parents:
        facts = above.stat()
        if facts.st_uid not in {0, owner}:
            return f"{above} belongs to user id {facts.st_uid}, who could replace {folder}; choose another state.dir"
        if facts.st_mode & stat.S_IWOTH and not facts.st_mode & stat.S_ISVTX:
            return f"{above} is writable for everybody, who could replace {folder}; choose another state.dir"
    return None


def _owner(account: Account | None) -> int:
    return os.geteuid() if account is None else account.uid


def _roots(environment: Mapping[str, str]) -> list[Path]:
    """Where folders of herds may be, the one for this user first."""
    temporary = Path(f"/tmp/kherd-{os.geteuid()}")  # noqa: S108 - 0700, and its owner is checked
    runtime = environment.get("XDG_RUNTIME_DIR")
    own = [Path(runtime) / "kherd"] if runtime else []
    system = [SYSTEM]
    return [*system, *own, temporary] if os.geteuid() == 0 else [*own, temporary, *system]
