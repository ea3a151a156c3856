"""`kherd reload`: put the changed configuration in force, and wait until it is."""

from typing import Final

import click

from ..control.client import Client
from .herd import asks_herd

PATIENCE: Final = 600.0


@click.command()
@click.option(
    "--timeout", type=click.FloatRange(min=0, min_open=True), default=PATIENCE, show_default=True, metavar="SECONDS"
)
@asks_herd
def command(herd: Client, timeout: float) -> None:
    """Reload the configuration and wait for the result; what does not validate changes nothing."""
    result = herd.request("reload", timeout=timeout)
    for change in result["changes"] or ["nothing has changed"]:
        click.echo(change)
