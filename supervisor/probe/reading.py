"""Whether who runs the herd can become that user, and read its configuration again; in a child, for good."""

from pathlib import Path

from ..config.account import Account
from ..config.errors import ConfigError
from ..config.load import load
from ..process.account import become


def read_as(question: tuple[Account, str]) -> tuple[list[str], list[str]]:
    """Return what keeps this process from becoming the account, and what then from loading the configuration."""
    account, path = question
    try:
        become(account)
    except ConfigError as error:
        return error.problems, []
    try:
        load(Path(path))
    except ConfigError as error:
        return [], error.problems
    return [], []
