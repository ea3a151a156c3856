"""What the commands have in common that ask a running herd: which one, and how its refusal becomes an exit code."""

import functools
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, Concatenate, ParamSpec

import click

from ...worker.exits import Exit
from ..control.client import Client, ControlError
from ..control.find import find

P = ParamSpec("P")


class ConfigFailure(click.ClickException):
    """The configuration cannot be used: ends the command with 78."""

    exit_code = Exit.CONFIG


def chooses_herd(command: Callable[P, None]) -> Callable[P, None]:
    """Give a command the options `config` and `app`."""
    by_file = click.option(
        "-c", "--config", type=click.Path(path_type=Path), help="The herd of this file (./kherd.toml)."
    )
    by_name = click.option("--app", metavar="NAME", help="The herd of this name, instead of a file.")
    return by_file(by_name(command))


def asks_herd(command: Callable[Concatenate[Client, P], None]) -> Callable[..., None]:
    """Give a command its herd as the first argument, chosen by -c or --app; an error of the herd ends it with 1."""

    @chooses_herd
    @functools.wraps(command)
    def asking(config: Path | None, app: str | None, *args: P.args, **kwargs: P.kwargs) -> None:
        if config is not None and app is not None:
            raise click.UsageError("give -c or --app, not both")
        try:
            command(find(config, app), *args, **kwargs)
        except ControlError as error:
            raise click.ClickException(str(error)) from error

    return asking


def show_json(document: Any) -> None:
    """Write `document` for a program: one line of JSON."""
    click.echo(json.dumps(document))
