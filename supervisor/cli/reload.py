"""`kherd reload`: put the changed configuration in force, and wait until all workers run it."""

import click

from ..control.client import Client
from .herd import asks_herd
from .rollout import follow, waits_for_roll


@click.command()
@waits_for_roll
@asks_herd
def command(herd: Client, *, timeout: float, no_wait: bool) -> None:
    """Reload the configuration and wait for the result; what does not validate changes nothing.

    Where workers have to be rolled, one of them tries the new code and settings first; if it fails, all go on with the
    old ones, and this ends with 1.
    """
    result = herd.request("reload", timeout=timeout)
    for change in result["changes"] or ["nothing has changed"]:
        click.echo(change)
    if result["rolling"] and not no_wait:
        follow(herd, result["generation"], timeout)
