"""`kherd pause`: begin nothing more of a partition, of a topic or of everything, until `kherd resume`."""

from typing import Any

import click

from ..control.client import Client
from .herd import asks_herd
from .place import PlaceParam, tell


@click.command()
@click.argument("place", type=PlaceParam(), metavar="[TOPIC[:P]]", required=False)
@asks_herd
def command(herd: Client, place: dict[str, Any] | None) -> None:
    """Begin nothing more of partition P of TOPIC, of TOPIC, or of anything.

    What is in flight is finished and committed. Partitions stay assigned, their lag stays true. It lasts over
    rebalances, reloads and restarts, until `kherd resume`; it is about the workers of this herd on this host.
    """
    tell(herd.request("pause", place), "already paused")
