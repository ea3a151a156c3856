"""`kherd scale`: another number of workers, now; those that stay are not touched."""

import re
from typing import Any, Final

import click

from ..control.client import Client
from ..control.protocol import MAX_WORKERS
from .herd import asks_herd

_COUNT: Final = re.compile(r"[+-]?[0-9]{1,5}")


class Target(click.ParamType[dict[str, Any]]):
    """`N`, `+N`, `-N` or `auto`, as the arguments of the request."""

    name = "target"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> dict[str, Any]:
        """Return the arguments; a bad word is a usage error."""
        if value == "auto":
            return {"auto": True}
        if not _COUNT.fullmatch(value) or abs(int(value)) > MAX_WORKERS or value in ("+0", "-0"):
            self.fail(f"{value!r} is not N, +N, -N or auto (N up to {MAX_WORKERS})", param, ctx)
        return {"by" if value[0] in "+-" else "to": int(value)}


# `-2` looks like an option: what is none of ours is taken for the argument, which says what it should have been.
@click.command(context_settings={"ignore_unknown_options": True})
@click.argument("target", type=Target(), metavar="N|+N|-N|auto")
@asks_herd
def command(herd: Client, target: dict[str, Any]) -> None:
    """Set the number of workers: N, N more (+N), N fewer (-N), or what configuration and autoscaling say (auto)."""
    result = herd.request("scale", target)
    why = "" if result["pinned"] else " (follows the lag)" if result["autoscale"] else " (as configured)"
    click.echo(f"workers: {result['before']} -> {result['after']}{why}")
