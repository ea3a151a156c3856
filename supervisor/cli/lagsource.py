"""Where `kherd lag` gets its document from: a running herd, or the brokers themselves."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import click

from ...embedded import NotRunningError, bootstrap
from ..config.errors import ConfigError
from ..control.client import ControlError, NoHerdError
from ..control.find import DEFAULT, find
from ..decide.lag import Start
from .herd import ConfigFailure
from .outside import (
    Look,
    RefusedPropertyError,
    Target,
    named_target,
    onlooker,
    other_group,
    properties_of,
    target_of,
)


@dataclass(frozen=True, slots=True)
class Asked:
    """What the command line says about a group to ask the brokers about."""

    group: str | None
    bootstrap: str | None
    topics: tuple[str, ...]
    pairs: tuple[str, ...]
    start: Start | None


@dataclass(frozen=True, slots=True)
class Source:
    """`look` returns a lag document; `direct`: it comes from the brokers, read just then."""

    look: Look
    direct: bool


def source_of(config: Path | None, app: str | None, asked: Asked) -> Source:
    """Return where the lag document comes from.

    Raises:
        UsageError: the options contradict each other.
        ClickException: no herd runs and nobody else can be asked, or the file cannot be used.
    """
    _check(config, app, asked)
    properties = properties_of(asked.pairs)
    if asked.group is None:
        try:
            herd = find(config, app)
        except NoHerdError as error:
            return _down(config or DEFAULT, app, error)
        except ControlError as error:
            raise click.ClickException(str(error)) from error
        return Source(lambda: cast("Mapping[str, Any]", herd.request("lag")), direct=False)
    if asked.bootstrap is not None:
        target = named_target(asked.bootstrap, asked.group, asked.topics, properties)
    else:
        target = other_group(_of_file(config or DEFAULT), asked.group, asked.topics, properties)
    return _open(replace(target, start=asked.start), click.UsageError if properties else ConfigFailure)


def _check(config: Path | None, app: str | None, asked: Asked) -> None:
    if sum(one is not None for one in (config, app, asked.bootstrap)) > 1:
        raise click.UsageError("give one of -c, --app and --bootstrap")
    if asked.group == "":
        raise click.UsageError("--group: must not be empty")
    if asked.group is not None and app is not None:
        raise click.UsageError(
            "--app is a running herd, which knows its own group only: give -c or --bootstrap instead"
        )
    if asked.group is None and (asked.bootstrap or asked.topics or asked.pairs or asked.start):
        raise click.UsageError("--bootstrap, --topic, -X and --start are about a group: add --group NAME")


def _down(config: Path, app: str | None, error: NoHerdError) -> Source:
    """Ask about the group of a herd that does not run; where that cannot be done, say that it does not run."""
    if app is not None:
        raise click.ClickException(f"{error}\nto ask the brokers: -c CONFIG, or --bootstrap HOST:PORT --group NAME")
    target = _of_file(config, error)
    click.echo(f"no herd of {config} is running: this is what the brokers say", err=True)
    return _open(target, ConfigFailure)


def _of_file(config: Path, down: NoHerdError | None = None) -> Target:
    """Return the group of a file; `down`: its herd does not run, and so neither does its embedded broker."""
    try:
        target = target_of(config)
        if target.kafka.embedded:
            if down is not None:
                raise click.ClickException(str(down))
            target = target_of(config, bootstrap(config))
    except ConfigError as error:
        raise ConfigFailure(f"{down}\n{error}" if down else str(error)) from error
    except NotRunningError as error:
        raise click.ClickException(str(error)) from error
    return target


def _open(target: Target, refused: type[click.ClickException]) -> Source:
    try:
        return Source(onlooker(target), direct=True)
    except RefusedPropertyError as error:
        raise refused(str(error)) from error
