"""CONFIGURATION.md and the JSON schema, from the configuration's models."""

from typing import Any, get_args, get_origin

from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined
from tables import MADE, table

from kherd.supervisor.config.effective import in_words, to_toml
from kherd.supervisor.config.schema import Settings
from kherd.supervisor.config.sections import Section
from kherd.supervisor.config.types import (
    format_duration,
    parse_duration,
    parse_flag,
    parse_percent,
    parse_size,
    parse_whole,
)
from kherd.supervisor.decide.reload import EFFECTS, Effect

HEAD = """
A TOML file, by default `kherd.toml`. `kherd check` shows it with every default, and says everything that is wrong.

- Durations are `"30s"`, `"5m"`, `"100ms"`, or seconds; sizes are `"16MiB"`, or bytes.
- In any text `${NAME}` is the value of an environment variable (`$${` stands for `${` itself), and a text that begins
  with `file:` is the content of that file, relative to the configuration. What comes from files, and what stands under
  the names of passwords, keys and tokens, is never shown: not by `check`, not in logs, not in errors.
- An unknown key is an error. librdkafka's properties stand in `[kafka.client]`, `[kafka.consumer]`, `[kafka.producer]`;
  those that kherd must own are refused with the reason, and `kherd check` has librdkafka itself check the others.
- `kherd reload` (or SIGHUP) applies only what has changed; keys marked with * need a restart.

"""
KINDS = {
    parse_duration: "duration",
    parse_size: "size",
    parse_percent: "percents",
    parse_whole: "whole number",
    parse_flag: "true or false",
}


def page() -> str:
    """Return CONFIGURATION.md."""
    parts = ["# Configuration\n\n", MADE, HEAD]
    for section, field in Settings.model_fields.items():
        named = get_origin(field.annotation) is dict
        model: Any = get_args(field.annotation)[1] if named else field.annotation
        rows = [_row(section, key, model, named=named) for key in model.model_fields]
        parts += [
            f"## [{section}{'.NAME' if named else ''}]\n",
            f"{model.__doc__}\n\n",
            table(("key", "kind", "default", "meaning"), rows),
            "\n",
        ]
    return "".join(parts).rstrip() + "\n"


def schema() -> dict[str, Any]:
    """Return the JSON schema, for editors."""
    made = Settings.model_json_schema()
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **_untitled(made), "title": "kherd.toml"}


def _row(section: str, key: str, model: type[Section], *, named: bool) -> list[str]:
    field = model.model_fields[key]
    mark = "*" if needs_restart(section if named else f"{section}.{key}") else ""
    return [f"`{key}`{mark}", kind(field), default(model, key, field), field.description or ""]


def needs_restart(path: str) -> bool:
    """Whether a reload refuses a change of the key."""
    return Effect.RESTART in EFFECTS[path]


def kind(field: FieldInfo) -> str:
    """Return what a value looks like, in words."""
    for mark in field.metadata:
        if (word := KINDS.get(getattr(mark, "func", None))) is not None:
            return word + _bounds(field)
    choices = _choices(field.annotation)
    if choices:
        return " or ".join(f"`{one}`" if isinstance(one, str) else str(one).lower() for one in choices)
    names = str(field.annotation)
    if "dict" in names:
        return "table of properties"
    return "list of text" if "tuple" in names else "text"


def _choices(annotation: Any) -> list[Any]:
    found: list[Any] = []
    for part in get_args(annotation):
        if part is bool:
            found += [True, False]
        elif isinstance(part, str | bool):
            found.append(part)
        elif part is not type(None):
            found += _choices(part)
    return list(dict.fromkeys(found))


def _bounds(field: FieldInfo) -> str:
    limits = {
        name: getattr(mark, name) for mark in field.metadata for name in ("ge", "gt", "le") if hasattr(mark, name)
    }
    words = {"ge": "from", "gt": "above", "le": "to"}
    duration = any(getattr(mark, "func", None) is parse_duration for mark in field.metadata)
    shown = [f"{words[name]} {_limit(value, duration=duration)}" for name, value in limits.items()]
    return f", {' '.join(shown)}" if shown else ""


def _limit(value: float, *, duration: bool) -> str:
    return format_duration(value) if duration and value else f"{value:g}" if value < 10**6 else str(int(value))


def default(model: type[Section], key: str, field: FieldInfo) -> str:
    """Return a key's default as the file would have it."""
    value = field.get_default(call_default_factory=True) if field.default_factory is None else {}
    if value is PydanticUndefined:
        return "**required**"
    if value is None or value == {}:
        return "none"
    written = to_toml({"x": {key: in_words(model, key, value)}})
    return f"`{written.splitlines()[1].partition(' = ')[2]}`"


def _untitled(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _untitled(item) for key, item in value.items() if not (key == "title" and isinstance(item, str))}
    return [_untitled(item) for item in value] if isinstance(value, list) else value
