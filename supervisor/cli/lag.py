"""`kherd lag`: how far a group is behind, by partition: as its herd last measured it, or as the brokers say now."""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import click
from rich.console import Group, RenderableType
from rich.live import Live
from rich.text import Text

from ...worker import clock
from ...worker.exits import Exit
from ..control.client import ControlError
from .herd import chooses_herd, show_json
from .lagsource import Asked, source_of
from .outside import Look, OutsideError
from .words import UNKNOWN, console, count, plain, table

TROUBLES: Final = (ControlError, OutsideError)
REFRESH: Final = 2.0
"""Seconds between two looks; the herd measures once per `lag.interval`."""
FRAME: Final = 8
"""Lines of a screen that are not partitions."""


@click.command()
@chooses_herd
@click.option(
    "--group", metavar="NAME", help="Ask the brokers about any group, by -c or --bootstrap; no herd needs to run."
)
@click.option("--bootstrap", metavar="HOST:PORT,...", help="The brokers to ask, instead of those of a file.")
@click.option("--topic", "topics", metavar="NAME", multiple=True, help="A topic of --group; else all it has committed.")
@click.option("-X", "pairs", metavar="NAME=VALUE", multiple=True, help="A librdkafka property, to log in for instance.")
@click.option(
    "--start",
    type=click.Choice(["earliest", "latest"]),
    help="Where partitions of --group without a commit begin (as the file says, else earliest).",
)
@click.option(
    "--watch", is_flag=True, help=f"Look again every {REFRESH:.0f} s until Ctrl-C, the worst partitions first."
)
@click.option("--json", "as_json", is_flag=True, help="For programs; with --watch a line per look.")
def command(config: Path | None, app: str | None, *, watch: bool, as_json: bool, **asked: Any) -> None:
    """Show the lag of every partition: of a running herd, or straight from the brokers.

    The brokers are asked for --group, and about the group of the file if its herd does not run.
    """
    source = source_of(config, app, Asked(**asked))
    try:
        if watch:
            _watch_json(source.look) if as_json else _watch(source.look)
            return
        document = source.look()
    except KeyboardInterrupt:
        return
    except TROUBLES as error:
        hint = "" if source.direct else "\nto ask the brokers instead, add --group NAME"
        raise click.ClickException(f"{error}{hint}") from error
    show_json(document) if as_json else console().print(render(document))
    if source.direct and not document["valid"]:
        sys.exit(Exit.FAILED)


def _watch_json(look: Look) -> None:
    while True:
        show_json(look())
        clock.sleep(REFRESH)


def _watch(look: Look) -> None:
    """Look again and again; a herd that is being restarted, and brokers that do not answer, are waited for."""
    screen = console()
    with Live(console=screen, auto_refresh=False, vertical_overflow="crop") as live:
        while True:
            try:
                shown = render(look(), worst=max(1, screen.height - FRAME))
            except TROUBLES as error:
                shown = plain(error, "red")
            live.update(shown, refresh=True)
            clock.sleep(REFRESH)


def render(lag: Mapping[str, Any], *, worst: int | None = None) -> RenderableType:
    """Return the lag document as tables; `worst` limits it to so many partitions, those furthest behind."""
    parts: list[RenderableType] = [_total(lag), Text()]
    if lag["topics"]:
        parts += [_topics(lag["topics"]), Text()]
    rows = list(lag["partitions"])
    if worst is not None:
        rows = sorted(rows, key=lambda row: (row["lag"] is not None, -(row["lag"] or 0)))[:worst]
    partitions = table(
        "topic", "partition", "committed", "log start", "end", "lag",
        right=frozenset({"partition", "committed", "log start", "end", "lag"}),
    )  # fmt: skip
    for row in rows:
        partitions.add_row(
            plain(row["topic"]),
            str(row["partition"]),
            _offset(row["committed"], "none"),
            _offset(row["log_start"], UNKNOWN),
            _offset(row["end"], UNKNOWN),
            count(row["lag"]),
        )
    if rows:
        parts.append(partitions)
    return Group(*parts)


def _total(lag: Mapping[str, Any]) -> Text:
    line = plain(f"lag {count(lag['total'])}", "bold")
    if not lag["valid"]:
        line.append_text(plain(f"  {lag['reason'] or 'not measured yet'}", "yellow"))
    if lag["at"]:
        line.append_text(plain(f"  measured {lag['at']}"))
    return line


def _topics(topics: Mapping[str, Mapping[str, Any]]) -> RenderableType:
    made = table("topic", "partitions", "lag", right=frozenset({"partitions", "lag"}))
    for name, one in sorted(topics.items()):
        made.add_row(plain(name), count(one["partitions"]), count(one["lag"]))
    return made


def _offset(value: object, missing: str) -> str:
    return str(value) if isinstance(value, int) else missing
