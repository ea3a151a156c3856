"""What the commands of `kherd bench` have in common: options, and how a run is repeated."""

import importlib
import shlex
from typing import Any, Final

import click

from ..config.secrets import REDACTED, is_sensitive
from ..config.types import parse_bootstrap

SIGNALLED: Final = 128
"""What a shell adds to a signal's number in an exit code."""
LARGEST_SEED: Final = 2**32 - 1


def module(name: str) -> Any:
    """Return a module of the bench, imported when it is needed: it brings Kafka clients."""
    return importlib.import_module(f"...bench.{name}", __package__)


def properties(_context: click.Context, _parameter: click.Parameter, values: tuple[str, ...]) -> dict[str, str]:
    """Return client properties given as PROPERTY=VALUE."""
    found: dict[str, str] = {}
    for text in values:
        name, equals, value = text.partition("=")
        if not equals or not name.strip():
            # Without the text: it may be a password alone.
            raise click.BadParameter("must be PROPERTY=VALUE, like security.protocol=SASL_SSL")
        found[name.strip()] = value
    return found


def bootstrap(_context: click.Context, _parameter: click.Parameter, value: str | None) -> str | None:
    """Return addresses of brokers, checked; "embedded" and None as they are."""
    try:
        return value if value in {None, "embedded"} else parse_bootstrap(str(value))
    except ValueError as error:
        raise click.BadParameter(f"{error}, got {value!r}") from None


def command_line(arguments: list[str], seed: int, command: str = "run") -> str:
    """Return the command to repeat this run, without secrets."""
    shown = ["kherd", *arguments[1:]] if arguments[1:2] == ["bench"] else ["kherd", "bench", command]
    for index, text in enumerate(shown):
        name, equals, _ = text.removeprefix("-X").partition("=")
        if equals and is_sensitive(name.strip()):
            shown[index] = f"{text.partition('=')[0]}={REDACTED}"
    if not any(text.partition("=")[0] == "--seed" for text in shown):
        shown += ["--seed", str(seed)]
    return shlex.join(shown)
