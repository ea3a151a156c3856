"""`kherd resume`: undo `kherd pause`."""

from typing import Any

import click

from ..control.client import Client
from .herd import asks_herd
from .place import PlaceParam, tell


@click.command()
@click.argument("place", type=PlaceParam(), metavar="[TOPIC[:P]]", required=False)
@asks_herd
def command(herd: Client, place: dict[str, Any] | None) -> None:
    """Go on with partition P of TOPIC, with TOPIC and all its partitions, or with everything."""
    tell(herd.request("resume", place), "it was not paused")
