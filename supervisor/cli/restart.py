"""`kherd restart`: have all workers run the code as it is on disk, one after another, with the settings they have."""

import click

from ..control.client import Client
from .herd import asks_herd
from .rollout import follow, waits_for_roll


@click.command()
@waits_for_roll
@asks_herd
def command(herd: Client, *, timeout: float, no_wait: bool) -> None:
    """Roll all workers to a fresh import of the code, with the settings they have, and wait for the result.

    One of them tries it first; if it fails, all go on with the old code, and this ends with 1.
    """
    result = herd.request("restart", timeout=timeout)
    if no_wait:
        click.echo(f"generation {result['generation']}: begun")
    elif result["rolling"]:
        follow(herd, result["generation"], timeout)
