"""From a TOML file to settings: substitution, checking, and every problem in one error."""

import hashlib
import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError

from .errors import ConfigError
from .files import NO_FILE, read_text
from .instance import resolve_instance
from .problems import tell
from .schema import Settings
from .secrets import Secrets
from .substitute import Substitution

LARGEST: Final = 1024 * 1024
DEEPEST: Final = 16
_LONG_KEY: Final = re.compile(r"""(?<![\w"'-])(?:(?:[\w-]++|"[^"\n]*+"|'[^'\n]*+')[ \t]*+\.[ \t]*+){64}""")
"""tomllib takes quadratic time for a dotted key: one of 100 kB holds it for minutes."""
PROPERTIES: Final = ("client", "consumer", "producer")
PATHS: Final = (("state", "dir"), ("control", "socket"), ("app", "pidfile"))


@dataclass(frozen=True, slots=True)
class Loaded:
    """A checked configuration, the file it came from (absolute), the secret values in it, the digest of its text."""

    settings: Settings
    path: Path
    secrets: frozenset[str]
    digest: str = ""


def load(path: Path, environment: Mapping[str, str] | None = None) -> Loaded:
    """Read, substitute and check the configuration at `path`.

    Raises:
        ConfigError: it cannot be used; every problem is named.
    """
    environment = os.environ if environment is None else environment
    path = _absolute(path)
    text = _read(path)
    secrets = Secrets()
    problems: list[str] = []
    document = parse(path, text)
    _flatten(document, problems)
    document = Substitution(path.parent, environment, secrets, problems).all_of(document)
    secrets.collect_all({key: value for key, value in document.items() if key != "breaker"})  # names are no keys there
    _anchor(document, path.parent)
    settings = _check(document, secrets, problems)
    if settings.kafka.static_membership is True and resolve_instance(settings, environment=environment) is None:
        raise ConfigError(["kafka.static_membership: needs an instance, and this host has none: set app.instance"])
    return Loaded(settings, path, frozenset(secrets.values), hashlib.sha256(text.encode()).hexdigest())


def _absolute(path: Path) -> Path:
    try:
        return path if path.is_absolute() else Path.cwd() / path
    except OSError as error:
        raise ConfigError([f"{path}: the current folder is gone: {error.strerror}"]) from None


def _read(path: Path) -> str:
    try:
        return read_text(path, LARGEST).removeprefix("\ufeff")
    except ConfigError as error:
        hint = "; `kherd init` writes one to start from"
        raise ConfigError([one + (hint if one.endswith(NO_FILE) else "") for one in error.problems]) from None


def parse(path: Path, text: str) -> dict[str, Any]:
    """Return the tables of a TOML text; raises ConfigError for what is no TOML, or nested beyond all use."""
    if _LONG_KEY.search(text):
        raise ConfigError([f"{path}: is nested too deeply"])
    try:
        document = tomllib.loads(text)
    except RecursionError:
        raise ConfigError([f"{path}: is nested too deeply"]) from None
    except ValueError as error:  # also of numbers and dates that Python cannot hold
        raise ConfigError([f"{path}: is not TOML: {error}"]) from None
    level: list[Any] = [document]
    for _ in range(DEEPEST):
        level = [item for one in level for item in (one.values() if isinstance(one, dict) else one)]
        level = [item for item in level if isinstance(item, dict | list)]
    if level:
        raise ConfigError([f"{path}: is nested too deeply"])
    return document


def _flatten(document: dict[str, Any], problems: list[str]) -> None:
    """Join `[kafka.client]` with `linger.ms = 5`: to TOML that is a table in a table, to librdkafka one name."""
    kafka: Any = document.get("kafka")
    for section in PROPERTIES if isinstance(kafka, dict) else ():
        if isinstance(table := kafka.get(section), dict):
            flat: dict[str, Any] = {}
            for name, value in leaves(table, ""):
                if name in flat:
                    problems.append(f"kafka.{section}.{name}: is there twice")
                flat[name] = value
            kafka[section] = flat


def leaves(table: dict[str, Any], prefix: str) -> list[tuple[str, Any]]:
    """Return what is in a table and in the tables in it, under dotted names."""
    found: list[tuple[str, Any]] = []
    for key, value in table.items():
        found += leaves(value, f"{prefix}{key}.") if isinstance(value, dict) else [(prefix + key, value)]
    return found


def _anchor(document: dict[str, Any], folder: Path) -> None:
    """Make paths relative to the file absolute: the daemon and who looks for it may stand in other folders."""
    for section, key in PATHS:
        table = document.get(section)
        if isinstance(table, dict) and isinstance(value := table.get(key), str) and value:
            table[key] = str(folder / value)


def _check(document: dict[str, Any], secrets: Secrets, problems: list[str]) -> Settings:
    """Return the settings, if there is no problem, `problems` included."""
    known = {problem.partition(":")[0].partition("[")[0] for problem in problems}
    for section in ("app", "kafka"):
        document.setdefault(section, {})
    try:
        settings = Settings.model_validate(document)
    except ValidationError as error:
        # A value that could not be put in its place needs no second problem.
        found = [one for one in tell(error, document, secrets) if one.partition(":")[0].partition("[")[0] not in known]
        raise ConfigError([*problems, *found]) from None
    if problems:
        raise ConfigError(problems)
    return settings
