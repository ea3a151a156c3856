"""`TOPIC` or `TOPIC:P` on a command line, and how `pause` and `resume` tell what came of them."""

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

import click

from ..config.types import is_topic
from ..decide.halts import MAX_PARTITION, Place

_NUMBER: Final = re.compile(r"[0-9]{1,10}")


class PlaceParam(click.ParamType[dict[str, Any]]):
    """A topic or a partition of it, as the arguments of the request."""

    name = "place"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> dict[str, Any]:
        """Return the arguments; a bad word is a usage error."""
        topic, colon, number = value.partition(":")
        if not is_topic(topic) or (colon and not (_NUMBER.fullmatch(number) and int(number) <= MAX_PARTITION)):
            self.fail(f"{value!r} is not TOPIC or TOPIC:P (P a partition's number)", param, ctx)
        return {"topic": topic, "partition": int(number)} if colon else {"topic": topic}


def tell(result: Mapping[str, Any], unchanged: str) -> None:
    """Print what is paused by now; before that `unchanged` if nothing had to be done."""
    if not result["changed"]:
        click.echo(unchanged)
    click.echo("\n".join(_lines(result["paused"])) or "nothing is paused")


def _lines(paused: Iterable[Mapping[str, Any]]) -> list[str]:
    return [f"paused: {Place(one['topic'], one['partition'])} since {one['since']}" for one in paused]
