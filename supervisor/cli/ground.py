"""What a supervisor stands on before it is one: its configuration, folder, lock, account and pidfile, in this order.

What only root can do comes before it becomes `app.user`; what that user has to undo later comes after it.
"""

import os
import socket
from dataclasses import dataclass
from pathlib import Path

from ...worker import events, log
from ..config.account import Account, account_of
from ..config.errors import ConfigError
from ..config.load import Loaded, load
from ..config.spec import resolved_instance
from ..config.state import prepare, state_dir
from ..lock import take_lock
from ..pidfile import Pidfile
from ..process.account import become


@dataclass(frozen=True, slots=True)
class Ground:
    """Taken by `take`, given back by `leave`; `unreadable` says why a reload cannot work, if so."""

    loaded: Loaded
    folder: Path
    lock: socket.socket
    pidfile: Pidfile
    unreadable: str | None

    def report(self) -> None:
        """Log what is not as it should be; the log must be configured."""
        self.pidfile.report()
        if self.unreadable is not None:
            log.emit(events.RELOAD_IMPOSSIBLE, user=self.loaded.settings.app.user, reason=self.unreadable)

    def leave(self) -> None:
        """Let a successor in."""
        self.pidfile.remove()
        self.lock.close()


def take(config: Path) -> Ground:
    """Return the ground of the herd that `config` describes; this process is `app.user` from then on.

    Raises:
        ConfigError: the configuration cannot be used here.
        LockedError: its herd runs already.
    """
    loaded = load(config)
    app = loaded.settings.app
    account = account_of(loaded.settings)
    if app.umask is not None:
        os.umask(int(app.umask, 8))
    folder = prepare(state_dir(loaded.settings), account)
    lock = take_lock(app.name, resolved_instance(loaded.settings))
    unreadable = None
    if account is not None:
        become(account)
        unreadable = _try_again(loaded.path)
        _enter(folder, account)
    pidfile = Pidfile(None if app.pidfile is None else Path(app.pidfile), os.getpid())
    pidfile.write()
    return Ground(loaded, folder, lock, pidfile, unreadable)


def _try_again(path: Path) -> str | None:
    """Return why the configuration cannot be read by who we have become."""
    try:
        load(path)
    except ConfigError as error:
        return "; ".join(error.problems)
    return None


def _enter(folder: Path, account: Account) -> None:
    if not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
        raise ConfigError(
            [f"state.dir: {account.name} cannot get into {folder}; chmod o+x the folders above, or choose another"]
        )
