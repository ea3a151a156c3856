"""What pydantic finds, in words for whoever wrote the file: `path: what is wrong, got value`, never a secret."""

import copy
import difflib
import math
from collections.abc import Mapping, Sequence
from typing import Any, Final, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from .later import refusal
from .rules import Problems
from .schema import Settings
from .secrets import REDACTED, Secrets, is_sensitive

LONGEST: Final = 80
"""Characters of a value that are shown."""
MOST_DIGITS: Final = 10**30
STAND_INS: Final[dict[str, dict[str, Any]]] = {
    "app": {"name": "x", "handler": "x:x"},
    "kafka": {"bootstrap": "x:1", "topics": ["x"]},
}
"""For required keys that are missing or wrong, while the rules between the others are checked."""
WORDS: Final = {
    "missing": "is required",
    "string_type": "must be text",
    "string_too_short": "must not be empty",
    "string_too_long": "must have at most {max_length} characters",
    "tuple_type": "must be a list",
    "too_short": "must name at least {min_length}",
    "too_long": "must have at most {max_length}",
    "dict_type": "must be a table",
    "model_type": "must be a table",
    "model_attributes_type": "must be a table",
    "literal_error": "must be {expected}",
    "greater_than": "must be above {gt:g}",
    "greater_than_equal": "must be at least {ge:g}",
    "less_than_equal": "must be at most {le:g}",
}
"""pydantic's kinds of error -> what is wrong; the fields are pydantic's."""
KEY: Final = "[key]"
"""The end of a location if it is the key there that is wrong."""
Location = tuple[int | str, ...]


def tell(error: ValidationError, document: Mapping[str, Any], secrets: Secrets) -> list[str]:
    """Return every problem of `document`, also those between keys that hide behind those of single keys."""
    alone = [one for one in error.errors(include_url=False) if one["loc"]]
    told = [_sentence(one, document, secrets) for one in alone]
    wrong = {_path(one["loc"]) for one in alone}
    between = _between(error) or _between(_again(document, [one["loc"] for one in alone]))
    # Where a stand-in or a default took the place of a wrong value, there is nothing more to say.
    told += [_redacted(one, secrets) for one in between if not any(path in one for path in wrong)]
    return list(dict.fromkeys(told))


def _between(error: ValidationError | None) -> list[str]:
    details = [] if error is None else error.errors(include_url=False)
    causes = [one["ctx"]["error"] for one in details if not one["loc"] and "error" in one.get("ctx", {})]
    return [problem for cause in causes if isinstance(cause, Problems) for problem in cause.problems]


def _again(document: Mapping[str, Any], wrong: Sequence[Location]) -> ValidationError | None:
    """Check what is left without the wrong values; return its error."""
    rest = copy.deepcopy(dict(document))
    for location in wrong:
        _leave_out(rest, location)
    for section, values in STAND_INS.items():
        table = rest.get(section)
        rest[section] = {**values, **table} if isinstance(table, dict) else values
    try:
        Settings.model_validate(rest)
    except ValidationError as error:
        return error
    return None


def _leave_out(document: dict[str, Any], location: Location) -> None:
    table: Any = document
    location = location[:-1] if location[-1] == KEY else location
    for part in location:
        if not isinstance(table, dict) or part not in table:
            return
        if isinstance(table[part], dict) and part != location[-1]:
            table = table[part]
        else:
            del table[part]
            return


def _sentence(one: ErrorDetails, document: Mapping[str, Any], secrets: Secrets) -> str:
    location, kind = one["loc"], one["type"]
    path = _path(location)
    if kind == "extra_forbidden":
        return refusal(path) or _unknown(location)
    context = one.get("ctx", {})
    if kind == "value_error":
        what = str(context["error"])
    elif kind in WORDS:
        what = WORDS[kind].format_map(context)
    else:
        what = one["msg"]
    if kind == "missing":
        return f"{path}: {what}{_meaning(location)}"
    hidden = any(is_sensitive(str(part)) for part in location)
    value = REDACTED if hidden else shown(_value(document, location, one["input"]), secrets)
    return f"{path}: {what}, got {value}"


def shown(value: Any, secrets: Secrets) -> str:
    """Return a value as the file might have it, in at most LONGEST characters, without secrets."""
    if isinstance(value, dict):
        return "a table"
    if isinstance(value, list | tuple):
        return "a list"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int) and abs(value) >= MOST_DIGITS:
        return "a number of more than 30 digits"
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    # Redacted first: a secret that is cut is not found any more.
    text = repr(secrets.redact(value)) if isinstance(value, str) else secrets.redact(str(value))
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"


def _redacted(problem: str, secrets: Secrets) -> str:
    path, colon, rest = problem.partition(": ")
    return path + colon + secrets.redact(rest)


def _value(document: Any, location: Location, otherwise: Any) -> Any:
    """Return what the file has at `location`: pydantic may show it converted already."""
    for part in location:
        try:
            document = document[part]
        except (LookupError, TypeError):
            return otherwise
    return document


def _path(location: Location) -> str:
    parts = [f"[{part}]" if isinstance(part, int) else f".{part}" for part in location if part != KEY]
    return "".join(parts).removeprefix(".")


def _meaning(location: Location) -> str:
    model: Any = Settings
    for part in location:
        field = model.model_fields.get(str(part)) if hasattr(model, "model_fields") else None
        if field is None:
            return ""
        model = field.annotation
    return f" ({field.description.removesuffix('.')})" if field is not None and field.description else ""


def _unknown(location: Location) -> str:
    path, name = _path(location), str(location[-1])
    siblings = _keys(location[:-1])
    elsewhere = [f"{section}.{key}" for section in Settings.model_fields for key in _keys((section,)) if key == name]
    near = [_path((*location[:-1], key)) for key in difflib.get_close_matches(name, siblings, n=1)]
    if elsewhere or near:
        return f"{path}: is no known key, did you mean {(elsewhere or near)[0]!r}?"
    return f"{path}: is no known key; known here: {', '.join(siblings)}"


def _keys(location: Location) -> list[str]:
    model: Any = Settings
    for part in location:
        if get_origin(model) is dict:  # of tables, under names of the user's own
            model = get_args(model)[1]
        elif (field := getattr(model, "model_fields", {}).get(str(part))) is not None:
            model = field.annotation
    return list(model.model_fields) if isinstance(model, type) and issubclass(model, BaseModel) else []
