"""`kherd lag`: how far the group is behind, by partition, as the herd last measured it."""

from collections.abc import Mapping
from typing import Any, Final

import click
from rich.console import Group, RenderableType
from rich.live import Live
from rich.text import Text

from ...worker import clock
from ..control.client import Client, ControlError
from .herd import asks_herd, show_json
from .words import UNKNOWN, console, count, plain, table

REFRESH: Final = 2.0
"""Seconds between two looks; the herd measures once per `lag.interval`."""
FRAME: Final = 8
"""Lines of a screen that are not partitions."""


@click.command()
@click.option(
    "--watch", is_flag=True, help=f"Look again every {REFRESH:.0f} s until Ctrl-C, the worst partitions first."
)
@click.option("--json", "as_json", is_flag=True, help="For programs; with --watch a line per look.")
@asks_herd
def command(herd: Client, *, watch: bool, as_json: bool) -> None:
    """Show the lag of every partition."""
    if not watch:
        lag = herd.request("lag")
        show_json(lag) if as_json else console().print(render(lag))
        return
    try:
        _watch_json(herd) if as_json else _watch(herd)
    except KeyboardInterrupt:
        return


def _watch_json(herd: Client) -> None:
    while True:
        show_json(herd.request("lag"))
        clock.sleep(REFRESH)


def _watch(herd: Client) -> None:
    """Look again and again; a herd that is being restarted is waited for."""
    screen = console()
    with Live(console=screen, auto_refresh=False, vertical_overflow="crop") as live:
        while True:
            try:
                shown = render(herd.request("lag"), worst=max(1, screen.height - FRAME))
            except ControlError as error:
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
