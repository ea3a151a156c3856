"""`${ENV}` and `file:PATH` in any text of a configuration."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from .errors import ConfigError
from .files import read_text
from .secrets import Secrets, is_sensitive

LARGEST: Final = 1024 * 1024
FILE: Final = "file:"
_VARIABLE: Final = re.compile(r"\$\$\{|\$\{([A-Za-z_][A-Za-z0-9_]*)\}|\$\{")


@dataclass(frozen=True, slots=True)
class Substitution:
    """Puts values in their places; what it cannot find becomes a problem, what it reads from a file a secret."""

    folder: Path
    environment: Mapping[str, str]
    secrets: Secrets
    problems: list[str]

    def all_of(self, value: Any, at: str = "") -> Any:
        """Return `value` with every text in it substituted; `at` is where it stands."""
        if isinstance(value, dict):
            return {key: self.all_of(item, f"{at}.{key}" if at else key) for key, item in value.items()}
        if isinstance(value, list):
            return [self.all_of(item, f"{at}[{index}]") for index, item in enumerate(value)]
        return self._text(value, at) if isinstance(value, str) else value

    def _text(self, text: str, at: str) -> str:
        # What stands in the file itself decides: a variable's value cannot name a file to be read.
        names_file = text.startswith(FILE)
        known = len(self.problems)
        text = _VARIABLE.sub(lambda match: self._variable(match, at), text)
        if not names_file or len(self.problems) > known:
            return text
        try:
            content = read_text(self.folder / text.removeprefix(FILE), LARGEST)
        except ConfigError as error:
            self.problems.extend(f"{at}: cannot be read: {problem}" for problem in error.problems)
            return text
        content = content.rstrip("\r\n")
        self.secrets.add(content)
        return content

    def _variable(self, match: re.Match[str], at: str) -> str:
        name = match[1]
        if match[0] == "$${":
            return "${"
        if name is None:
            self.problems.append(f'{at}: "${{" begins the name of a variable, as in ${{HOME}}; for itself write "$${{"')
            return match[0]
        value = self.environment.get(name)
        if value is None:
            self.problems.append(f"{at}: the environment variable {name} is not set")
            return match[0]
        if is_sensitive(name):
            self.secrets.add(value)
        if not value.isprintable() and _is_broken(value):
            self.problems.append(f"{at}: the environment variable {name} is not UTF-8 text")
            return ""
        return value


def _is_broken(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:  # bytes that the environment had and UTF-8 does not
        return True
    return False
