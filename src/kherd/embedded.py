"""The embedded broker of a running herd, for programs that feed it or look at what comes out."""

from pathlib import Path

from .supervisor.config.errors import ConfigError
from .supervisor.config.load import load
from .supervisor.config.state import state_dir
from .supervisor.control.client import ControlError
from .supervisor.control.find import find

__all__ = ["NotRunningError", "bootstrap"]


class NotRunningError(Exception):
    """There is no broker to talk to: its herd does not run, or its file cannot be used."""


def bootstrap(config: str | Path = "kherd.toml") -> str:
    """Return the address to give to a Kafka client: of the herd's own broker, or of the brokers that `config` names.

    Raises:
        NotRunningError: says why, and what to do.
    """
    path = Path(config)
    try:
        settings = load(path).settings
        if not settings.embedded:
            return settings.kafka.bootstrap
        running = find(path, None)
    except (ConfigError, ControlError) as error:
        raise NotRunningError(str(error)) from error
    # Where the running herd really is, unless its socket alone is elsewhere.
    folder = running.path.parent if settings.control.socket is None else state_dir(settings)
    try:
        return (folder / "bootstrap").read_text().strip()
    except OSError as error:
        raise NotRunningError(f"{folder}/bootstrap: the herd's broker is not up yet; try again") from error
