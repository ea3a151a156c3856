"""Configuration files for tests that care about one or two of their keys."""

import tomllib
from pathlib import Path
from typing import Any

from kherd.supervisor.config.errors import ConfigError
from kherd.supervisor.config.load import Loaded, load
from kherd.supervisor.config.schema import Settings

BASE: dict[str, dict[str, Any]] = {
    "app": {"name": "orders", "handler": "orders:handle", "instance": "host1"},
    "kafka": {"bootstrap": "kafka1:9092", "topics": ["orders"]},
}
ENVIRONMENT: dict[str, str] = {}


def document(text: str = "") -> dict[str, Any]:
    """Return BASE with the tables of `text` (TOML) laid over it."""
    made: dict[str, Any] = {section: dict(values) for section, values in BASE.items()}
    for section, values in tomllib.loads(text).items():
        if isinstance(values, dict):
            made[section] = {**made.get(section, {}), **values}
        else:
            made[section] = values
    return made


def settings(text: str = "") -> Settings:
    """Return checked settings, without a file."""
    return Settings.model_validate(document(text))


def loaded(folder: Path, text: str, environment: dict[str, str] | None = None) -> Loaded:
    """Write `text` as it is to a file and load it."""
    path = folder / "kherd.toml"
    path.write_text(text)
    return load(path, ENVIRONMENT if environment is None else environment)


def problems(folder: Path, text: str, environment: dict[str, str] | None = None) -> list[str]:
    """Return what is wrong with a file that holds `text`; none if it can be used."""
    try:
        loaded(folder, text, environment)
    except ConfigError as error:
        return error.problems
    return []


START = """
[app]
name = "orders"
handler = "orders:handle"
[kafka]
bootstrap = "kafka1:9092"
topics = ["orders"]
"""
