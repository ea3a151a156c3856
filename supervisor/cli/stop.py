"""`kherd stop`: ask the daemon to stop, and wait until its process is gone."""

from contextlib import closing
from typing import Final

import click

from ..control.client import Client, ControlError
from .herd import asks_herd

MARGIN: Final = 5.0
"""Seconds beyond its own deadline that a daemon gets for killing what is left and removing its files."""


@click.command()
@click.option("--now", is_flag=True, help="Kill the workers instead of letting them finish; their records come again.")
@click.option("--leave", is_flag=True, help="Leave the group: this host does not come back, others take over at once.")
@asks_herd
def command(herd: Client, *, now: bool, leave: bool) -> None:
    """Stop the herd: every worker finishes what it holds and commits, then everything ends."""
    with closing(herd.watch()) as watch:
        asked = herd.request("stop", {"now": now, "leave": leave})
        if not watch.ended(asked["seconds"] + MARGIN):
            raise ControlError(
                f"{herd.path}: pid {asked['pid']} still runs {MARGIN:.0f} s after its deadline; "
                "see `kherd status` and its log, or end it with SIGKILL: its children end with it"
            )
    click.echo("stopped")
