"""`kherd run`: the daemon, in the foreground, as systemd likes it."""

import faulthandler
import os
import sys
from pathlib import Path
from typing import Final, NoReturn

import click

from ..._version import VERSION
from ...worker import events, kernel, log
from ...worker.exits import Exit
from ..config.errors import ConfigError
from ..config.load import Loaded, load
from ..config.spec import log_spec, resolved_instance
from ..config.state import prepare, state_dir
from ..daemon import Daemon
from ..decide.statusline import clean
from ..house import House
from ..lock import LockedError, dismiss, take_lock
from ..poller import Poller
from ..signals import Signals
from ..systemd import VARIABLES, Systemd

STDERR: Final = 2


@click.command("run")
@click.argument("config", type=click.Path(path_type=Path), default=Path("kherd.toml"))
def command(config: Path) -> None:
    """Run the herd that CONFIG describes, until it is told to stop."""
    systemd = Systemd.of(kernel.take_variables(VARIABLES), os.getpid())
    try:
        loaded = load(config)
        folder = prepare(state_dir(loaded.settings))
    except ConfigError as error:
        fail(systemd, Exit.CONFIG, str(error))
    try:
        lock = take_lock(loaded.settings.app.name, resolved_instance(loaded.settings))
    except LockedError as error:
        fail(systemd, Exit.FAILED, str(error))
    poller = Poller()
    poller.watch(lock.fileno(), lambda _: dismiss(lock))
    code = run(loaded, folder, poller, systemd)
    lock.close()
    sys.exit(code)


def run(loaded: Loaded, folder: Path, poller: Poller, systemd: Systemd) -> Exit:
    """Be the supervisor; return its exit code when everything is down."""
    settings = loaded.settings
    log.configure(log_spec(settings), log.Identity(settings.app.name, "supervisor"), secrets=loaded.secrets)
    systemd.report()
    faulthandler.enable(STDERR)  # the watchdog's SIGABRT, too, then says where the loop was
    signals = Signals()
    kernel.become_subreaper()
    house = House(loaded, folder, poller)
    daemon = Daemon(house, signals, systemd)
    count = settings.workers.count
    log.emit(events.SUPERVISOR_STARTED, version=VERSION, app=settings.app.name, count=count, state_dir=str(folder))
    return daemon.run()


def fail(systemd: Systemd, code: Exit, message: str) -> NoReturn:
    """Say why on standard error and to systemd, and leave."""
    click.echo(message, err=True)
    systemd.tell(f"STATUS={clean(message)}")
    sys.exit(code)
