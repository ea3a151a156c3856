"""The `kherd` command: one module per subcommand, imported only when it is called."""

import importlib
import os
from typing import Final

import click

from ..._version import VERSION
from ...worker import kernel

COMMANDS: Final = (
    "run",
    "check",
    "init",
    "status",
    "scale",
    "reload",
    "restart",
    "pause",
    "resume",
    "stop",
    "lag",
    "broker",
    "bench",
    "demo",
)


class Commands(click.Group):
    """A group that imports a subcommand's module when it is asked for: `kherd --version` stays quick."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names, in the order of the README."""
        del ctx
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a subcommand, None if there is no such."""
        del ctx
        if cmd_name not in COMMANDS:
            return None
        if cmd_name == "run" and os.getpid() == 1:
            # The first process of a container loses a signal that it has no handler for, but not one that is blocked.
            kernel.block_signals()
        command: click.Command = importlib.import_module(f"{__name__}.{cmd_name}").command
        return command


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(VERSION, prog_name="kherd", message="%(prog)s, version %(version)s")
def main() -> None:
    """Supervise Kafka consumers the way gunicorn does web workers."""
