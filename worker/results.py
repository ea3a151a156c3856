"""From what a handler returned to the records to produce: anything else is refused by name, never guessed at."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from .errors import Record, ResultError, ResultLengthError, Results

Records = Sequence[Record]
NOTHING: Final[Records] = ()

_EXPECTED: Final = "return None, a kherd.Record or an iterable of them"


def records(result: object) -> Records:
    """Return the records in `result`, what a handler returned for one record.

    Raises:
        ResultError: it is something else.
        BaseException: whatever the user's generator raised, unchanged.
    """
    if result is None:
        return NOTHING
    if isinstance(result, Record):
        return (result,)
    if isinstance(result, Results):
        raise ResultError("the handler returned kherd.Results for a single record; Results is for workers.mode = batch")
    if isinstance(result, (str, bytes, bytearray, Mapping)) or not isinstance(result, Iterable):
        raise ResultError(f"the handler returned {_name(result)}; {_EXPECTED}")
    found = list(result)
    for index, item in enumerate(found):
        if not isinstance(item, Record):
            raise ResultError(f"the handler returned {_name(item)} as item {index} of {_name(result)}; {_EXPECTED}")
    return found


def batch(result: object, count: int) -> list[Records | BaseException]:
    """Return one entry for each of the `count` records a batch handler was given.

    Records returned for the batch as a whole belong to its last entry: they are produced before any of it is committed.

    Raises:
        ResultError: `result` is something else.
        ResultLengthError: `Results` of another length.
    """
    if result is None:
        return [NOTHING] * count
    if not isinstance(result, Results):
        try:
            return [*[NOTHING] * (count - 1), records(result)]
        except ResultError as error:
            raise ResultError(f"{error}, or kherd.Results with one entry per record") from None
    if len(result) != count:
        raise ResultLengthError(f"the handler returned kherd.Results with {len(result)} entries for {count} records")
    return [_entry(entry) for entry in result]


def _entry(entry: object) -> Records | BaseException:
    if entry is None:
        return NOTHING
    if isinstance(entry, BaseException):
        return entry
    try:
        if isinstance(entry, type) and issubclass(entry, BaseException):
            return entry()  # as `raise Skip` would
        return records(entry)
    except BaseException as error:  # noqa: BLE001 - the user's generator or constructor ran: its exception is this entry's
        return error


def _name(value: object) -> str:
    return f"a {type(value).__name__}"
