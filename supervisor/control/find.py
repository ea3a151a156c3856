"""Which herd is meant: by its configuration file or by its name, wherever its state folder may be."""

import os
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

from ..config.errors import ConfigError
from ..config.load import load
from ..config.state import candidates, state_dir
from .client import Client, ControlError, NoHerdError

DEFAULT: Final = Path("kherd.toml")
SOCKET: Final = "control.sock"


def find(config: Path | None, app: str | None) -> Client:
    """Return a client of the running herd of the file `config`, or of the name `app`, or of ./kherd.toml.

    Raises:
        NoHerdError: none runs; says where it was looked for.
        ControlError: several are meant, or there is no file to tell which.
    """
    if app is not None:
        return _only(f"named {app!r}", [_sockets(candidates(app))])
    path = config or DEFAULT
    if not path.is_file():
        hint = "" if config is not None else " in this folder"
        raise ControlError(f"there is no {path}{hint}: say which herd is meant with -c CONFIG or --app NAME")
    return _only(f"of {path}", _places(path))


def _places(path: Path) -> list[list[Path]]:
    """Return where the sockets of the herd of `path` may be, the likeliest first."""
    try:
        settings = load(path).settings
    except ConfigError as error:
        # The herd runs on, whatever has become of its file (or of the environment it needs): its name is enough.
        return _places_by_name(path, error)
    if settings.control.socket is not None:
        return [[path.parent / settings.control.socket]]
    folder = state_dir(settings)
    others = [one for one in candidates(settings.app.name) if one.name == folder.name]
    return [[folder / SOCKET], _sockets(others), _sockets(candidates(settings.app.name))]


def _places_by_name(path: Path, error: ConfigError) -> list[list[Path]]:
    try:
        document = tomllib.loads(path.read_text())
    except (OSError, ValueError):
        raise ControlError(f"{error}\nname the herd with --app NAME instead") from error
    name = _text(document, "app", "name")
    if name is None:
        raise ControlError(f"{error}\nname the herd with --app NAME instead") from error
    chosen = _text(document, "control", "socket"), _text(document, "state", "dir")
    likely = [path.parent / chosen[0]] if chosen[0] else [Path(chosen[1]) / SOCKET] if chosen[1] else []
    return [likely, _sockets(candidates(name))]


def _text(document: dict[str, Any], table: str, key: str) -> str | None:
    found = document.get(table)
    value = found.get(key) if isinstance(found, dict) else None
    return value if isinstance(value, str) and "${" not in value else None


def _sockets(folders: Iterable[Path]) -> list[Path]:
    return [folder / SOCKET for folder in folders]


def _only(which: str, places: list[list[Path]]) -> Client:
    """Return the one that is alive among the likeliest that has any."""
    for sockets in places:
        alive = [client for client in map(Client, dict.fromkeys(sockets)) if client.alive()]
        if len(alive) > 1:
            listed = "".join(f"\n  {client.path.parent}" for client in alive)
            raise ControlError(f"several herds {which} are running; choose one with -c CONFIG:{listed}")
        if alive:
            return alive[0]
    looked = "".join(f"\n  {path}" for path in dict.fromkeys(path for sockets in places for path in sockets))
    nowhere = f" a state folder in /run/kherd, $XDG_RUNTIME_DIR/kherd or /tmp/kherd-{os.geteuid()}"
    raise NoHerdError(f"no herd {which} is running; nobody listens at{looked or nowhere}")
