"""What a handler raises and returns: the contract between a user's code and its worker."""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

_BREAKER: Final = "_kherd_breaker"
_COUNTED: Final = "_kherd_counted"


class ProcessingError(Exception):
    """This record can never be handled: dead-letter it now, then go on."""

    __module__ = "kherd"  # the name a user knows, in tracebacks and in dead letters


class Retry(Exception):  # noqa: N818 - an instruction, not an error
    """Try this record again in place, after `after` seconds if given, else after the configured backoff."""

    __module__ = "kherd"

    def __init__(self, message: str = "", *, after: float | None = None) -> None:
        super().__init__(message)
        self.after = after


class Skip(Exception):  # noqa: N818 - an instruction, not an error
    """Move past this record and count it; nothing is dead-lettered."""

    __module__ = "kherd"


class BreakerOpen(Exception):  # noqa: N818 - a state of the world, not an error of the record
    """The circuit breaker `name` lets nothing through; it is asked again in `after` seconds at the earliest.

    Anywhere in an exception's chain it says that the record is not at fault: it waits, and no attempt is counted. With
    `fallback_ok` only if it is what is raised: what the handler did without that call is judged by itself.
    """

    __module__ = "kherd"

    def __init__(self, name: str, after: float = 0.0, *, fallback_ok: bool = False) -> None:
        super().__init__(f"the circuit breaker {name!r} is open")
        self.name = name
        self.after = after
        self.fallback_ok = fallback_ok


def blame_breaker(error: BaseException, name: str) -> None:
    """Note on `error` that it is what the circuit breaker `name` is open for: a call that failed on the way to it."""
    with suppress(Exception):  # whatever the user's class does when an attribute is set
        setattr(error, _BREAKER, name)


def count_for_breaker(error: BaseException) -> None:
    """Note on `error` that a circuit breaker has counted it, and is not open for it yet."""
    with suppress(Exception):
        setattr(error, _COUNTED, True)


def counted_for_breaker(error: BaseException) -> bool:
    """Return whether `count_for_breaker` has noted that."""
    return getattr(error, "__dict__", {}).get(_COUNTED) is True


def blamed_breaker(error: BaseException) -> str | None:
    """Return what `blame_breaker` has noted."""
    name = getattr(error, "__dict__", {}).get(_BREAKER)
    return name if isinstance(name, str) else None


@dataclass(frozen=True, slots=True)
class Record:
    """A record to produce: text is sent as UTF-8, None is a legal value everywhere but in `topic`.

    `headers` are (name, value) pairs in the order they are sent; a name may occur more than once.
    """

    topic: str
    value: bytes | str | None = None
    key: bytes | str | None = None
    headers: Sequence[tuple[str, bytes | str | None]] = ()


Outcome = None | BaseException | Record | Iterable[Record]


class Results(list[Outcome]):
    """What a batch handler may return: one entry per record, in order; an exception fails that record alone."""


class HandlerError(Exception):
    """The handler cannot be used: `reason` says what, where, and what to do.

    `permanent` is false where the user's own code raised something that may pass (a database that was down while
    a class was built): starting again may help. It is true for what only an edit can mend.
    """

    def __init__(self, reason: str, *, permanent: bool = True) -> None:
        super().__init__(reason)
        self.reason = reason
        self.permanent = permanent


class ResultError(TypeError):
    """A handler returned something that is no record: a failure of the handler like any other."""


class ResultLengthError(ValueError):
    """A batch handler returned `Results` with another number of entries than it was given records."""
