"""`kherd run`: the daemon, in the foreground, as systemd likes it."""

import sys
from pathlib import Path

import click

from ..._version import VERSION
from ...worker import events, kernel, log
from ...worker.exits import Exit
from ..config.errors import ConfigError
from ..config.load import Loaded, load
from ..config.spec import log_spec, resolved_instance
from ..config.state import prepare, state_dir
from ..daemon import Daemon
from ..house import House
from ..lock import LockedError, dismiss, take_lock
from ..poller import Poller
from ..signals import Signals


@click.command("run")
@click.argument("config", type=click.Path(path_type=Path), default=Path("kherd.toml"))
def command(config: Path) -> None:
    """Run the herd that CONFIG describes, until it is told to stop."""
    try:
        loaded = load(config)
        folder = prepare(state_dir(loaded.settings))
    except ConfigError as error:
        fail(Exit.CONFIG, str(error))
    try:
        lock = take_lock(loaded.settings.app.name, resolved_instance(loaded.settings))
    except LockedError as error:
        fail(Exit.FAILED, str(error))
    poller = Poller()
    poller.watch(lock.fileno(), lambda _: dismiss(lock))
    code = run(loaded, folder, poller)
    lock.close()
    sys.exit(code)


def run(loaded: Loaded, folder: Path, poller: Poller) -> Exit:
    """Be the supervisor; return its exit code when everything is down."""
    settings = loaded.settings
    log.configure(log_spec(settings), log.Identity(settings.app.name, "supervisor"), secrets=loaded.secrets)
    signals = Signals()
    kernel.become_subreaper()
    house = House(loaded, folder, poller)
    daemon = Daemon(house, signals)
    count = settings.workers.count
    log.emit(events.SUPERVISOR_STARTED, version=VERSION, app=settings.app.name, count=count, state_dir=str(folder))
    return daemon.run()


def fail(code: Exit, message: str) -> None:
    """Say why on standard error, and leave."""
    click.echo(message, err=True)
    sys.exit(code)
