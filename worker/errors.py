"""What a handler raises and returns: the contract between a user's code and its worker."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass


class ProcessingError(Exception):
    """This record can never be handled: dead-letter it now, then go on."""


class Retry(Exception):  # noqa: N818 - an instruction, not an error
    """Try this record again in place, after `after` seconds if given, else after the configured backoff."""

    def __init__(self, message: str = "", *, after: float | None = None) -> None:
        super().__init__(message)
        self.after = after


class Skip(Exception):  # noqa: N818 - an instruction, not an error
    """Move past this record and count it; nothing is dead-lettered."""


@dataclass(frozen=True, slots=True)
class Record:
    """A record to produce. `headers` are (name, value) pairs; None is a legal value everywhere but in `topic`."""

    topic: str
    value: bytes | str | None = None
    key: bytes | str | None = None
    headers: Sequence[tuple[str, bytes | str | None]] = ()


Outcome = None | BaseException | Record | Iterable[Record]


class Results(list[Outcome]):
    """What a batch handler may return: one entry per record, in order."""
