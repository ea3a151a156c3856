"""`kherd run`: the daemon, in the foreground, as systemd likes it."""

import faulthandler
import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import Final, NoReturn

import click

from ..._version import VERSION
from ...worker import events, kernel, log, title
from ...worker.exits import Exit
from ..config.errors import ConfigError
from ..config.spec import log_spec
from ..daemon import Daemon
from ..decide.statusline import clean
from ..house import House
from ..lock import LockedError, dismiss
from ..poller import Poller
from ..signals import Signals
from ..systemd import VARIABLES, Systemd
from .ground import Ground, take

STDERR: Final = 2


@click.command("run")
@click.argument("config", type=click.Path(path_type=Path), default=Path("kherd.toml"))
def command(config: Path) -> None:
    """Run the herd that CONFIG describes, until it is told to stop."""
    kernel.open_standard_fds()
    title.claim()
    systemd = Systemd.of(kernel.take_variables(VARIABLES), os.getpid())
    try:
        ground = take(config)
    except ConfigError as error:
        fail(systemd, Exit.CONFIG, str(error))
    except LockedError as error:
        fail(systemd, Exit.FAILED, str(error))
    try:
        code = run(ground, systemd)
    finally:
        ground.leave()
    sys.exit(code)


def run(ground: Ground, systemd: Systemd) -> Exit:
    """Be the supervisor; return its exit code when everything is down."""
    settings, folder = ground.loaded.settings, ground.folder
    log.configure(log_spec(settings), log.Identity(settings.app.name, "supervisor"), secrets=ground.loaded.secrets)
    title.show(settings.app.name, "supervisor")
    systemd.report()
    ground.report()
    faulthandler.enable(STDERR)  # the watchdog's SIGABRT, too, then says where the loop was
    signals = Signals()
    kernel.become_subreaper()
    try:
        poller = Poller()
        poller.watch(ground.lock.fileno(), lambda _: dismiss(ground.lock))
        house = House(ground.loaded, folder, poller)
        daemon = Daemon(house, signals, systemd)
    except OSError as error:  # no room in the state folder, no descriptor left: nothing runs yet
        fail(systemd, Exit.FAILED, f"kherd cannot start in {folder}: {error}")
    count = settings.workers.count
    log.emit(events.SUPERVISOR_STARTED, version=VERSION, app=settings.app.name, count=count, state_dir=str(folder))
    return daemon.run()


def fail(systemd: Systemd, code: Exit, message: str) -> NoReturn:
    """Say why to systemd and on standard error, which may be a pipe that nobody reads, and leave."""
    systemd.tell(f"STATUS={clean(message)}")
    with suppress(OSError):
        click.echo(message, err=True)
    sys.exit(code)
