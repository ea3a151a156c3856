"""From a TOML file to settings: substitution, checking, and every problem in one error."""

import copy
import difflib
import os
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel, ValidationError

from .errors import ConfigError
from .schema import Settings
from .secrets import Secrets

LARGEST: Final = 1024 * 1024
LATER: Final = frozenset({"autoscale", "breaker", "alerts", "limits", "systemd", "reload", "schema_registry"})
_STAND_INS: Final[dict[str, dict[str, Any]]] = {
    "app": {"name": "x", "handler": "x:x"},
    "kafka": {"bootstrap": "x:1", "topics": ["x"]},
}
"""For required keys that are missing or wrong, while the rules between the others are checked."""
_VARIABLE: Final = re.compile(r"\$(\$)?\{([A-Za-z_][A-Za-z0-9_]*)\}")


@dataclass(frozen=True, slots=True)
class Loaded:
    """A checked configuration, the file it came from (absolute) and the secret values in it."""

    settings: Settings
    path: Path
    secrets: frozenset[str]


def load(path: Path, environment: Mapping[str, str] | None = None) -> Loaded:
    """Read, substitute and check the configuration at `path`.

    Raises:
        ConfigError: it cannot be used; every problem is named.
    """
    path = Path.cwd() / path
    document = _read(path)
    secrets = Secrets()
    problems: list[str] = []
    substitute = _Substitution(path.parent, os.environ if environment is None else environment, secrets, problems)
    document = substitute.all_of(document, "")
    if problems:
        raise ConfigError(problems)
    secrets.collect(document)
    try:
        settings = Settings.model_validate(document)
    except ValidationError as error:
        problems = [*_problems(error), *_problems_between(document, error)]
        raise ConfigError([secrets.redact(problem) for problem in dict.fromkeys(problems)]) from None
    return Loaded(settings, path, frozenset(secrets.values))


def _read(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            raw = file.read(LARGEST + 1)
        if len(raw) > LARGEST:
            raise ConfigError([f"{path}: larger than {LARGEST} bytes: is it a configuration?"])
        return tomllib.loads(raw.decode())
    except FileNotFoundError:
        raise ConfigError([f"{path}: no such file; `kherd init` writes one to start from"]) from None
    except (OSError, ValueError, RecursionError) as error:
        detail = getattr(error, "strerror", None) or str(error)
        raise ConfigError([f"{path}: {detail}"]) from None


@dataclass(frozen=True, slots=True)
class _Substitution:
    """Puts `${ENV}` and `file:PATH` in place."""

    folder: Path
    environment: Mapping[str, str]
    secrets: Secrets
    problems: list[str]

    def all_of(self, value: Any, at: str) -> Any:
        """Return `value` with every string in it substituted."""
        if isinstance(value, dict):
            return {key: self.all_of(item, f"{at}.{key}" if at else key) for key, item in value.items()}
        if isinstance(value, list):
            return [self.all_of(item, f"{at}[{index}]") for index, item in enumerate(value)]
        return self._text(value, at) if isinstance(value, str) else value

    def _text(self, text: str, at: str) -> str:
        def variable(match: re.Match[str]) -> str:
            if match[1]:
                return match[0][1:]
            if match[2] not in self.environment:
                self.problems.append(f"{at}: environment variable {match[2]} is not set")
            return self.environment.get(match[2], "")

        text = _VARIABLE.sub(variable, text)
        if not text.startswith("file:"):
            return text
        path = self.folder / text.removeprefix("file:")
        try:
            content = path.read_text().removesuffix("\n")
        except (OSError, ValueError) as error:
            self.problems.append(f"{at}: cannot read {path}: {getattr(error, 'strerror', None) or error}")
            return ""
        self.secrets.add(content)
        return content


def _problems(error: ValidationError) -> Iterable[str]:
    for one in error.errors(include_url=False):
        path = ".".join(str(part) for part in one["loc"])
        if one["type"] == "extra_forbidden":
            yield _unknown(one["loc"])
        elif one["type"] == "value_error" and not one["loc"]:
            yield from str(one["ctx"]["error"]).splitlines()
        elif one["type"] == "missing":
            yield f"{path}: is required"
        else:
            message = str(one["ctx"]["error"]) if one["type"] == "value_error" else one["msg"].lower()
            yield f"{path}: {message}, got {one['input']!r:.80}"


def _problems_between(document: Mapping[str, Any], error: ValidationError) -> Iterable[str]:
    """Yield the problems between keys that show once the keys that are wrong by themselves are left out."""
    rest = copy.deepcopy(dict(document))
    for one in error.errors(include_url=False):
        _leave_out(rest, one["loc"])
    for section, values in _STAND_INS.items():
        table = rest.setdefault(section, {})
        if isinstance(table, dict):
            rest[section] = {**values, **table}
    try:
        Settings.model_validate(rest)
    except ValidationError as second:
        for one in second.errors(include_url=False):
            if not one["loc"] and one["type"] == "value_error":
                yield from str(one["ctx"]["error"]).splitlines()


def _leave_out(document: dict[str, Any], location: tuple[int | str, ...]) -> None:
    table: Any = document
    for part in location[:-1]:
        if not isinstance(table, dict) or not isinstance(table.get(str(part)), dict):
            break
        table = table[str(part)]
    if isinstance(table, dict) and location:
        table.pop(next((str(part) for part in reversed(location) if str(part) in table), ""), None)


def _unknown(location: tuple[int | str, ...]) -> str:
    path = ".".join(str(part) for part in location)
    if location[0] in LATER:
        return f"{path}: not in this version of kherd"
    known = _known_keys(location[:-1])
    near = difflib.get_close_matches(str(location[-1]), known, n=1)
    hint = f", did you mean {near[0]!r}?" if near else f"; known here: {', '.join(known)}"
    return f"{path}: unknown key{hint}"


def _known_keys(location: tuple[int | str, ...]) -> list[str]:
    model: type[BaseModel] = Settings
    for part in location:
        annotation = model.model_fields[str(part)].annotation
        if not isinstance(annotation, type) or not issubclass(annotation, BaseModel):
            return []
        model = annotation
    return list(model.model_fields)
