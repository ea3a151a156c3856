"""A configuration that cannot be used: every problem at once."""

from collections.abc import Sequence


class ConfigError(Exception):
    """`problems` are sentences of the form `path: what is wrong, got value`."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = list(problems)
