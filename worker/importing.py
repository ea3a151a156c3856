"""Importing what a configuration names: "module:attribute" to an object, every failure as a sentence for its author."""

import builtins
import difflib
import importlib
import os
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType

from .errors import HandlerError

_MISTAKES = (ImportError, SyntaxError, NameError, TypeError, AttributeError)
"""What only an edit mends; anything else that user code raises may pass."""


def resolve(handler: str, pythonpath: Sequence[str]) -> object:
    """Import the module of "module:attribute" and return the attribute, without calling anything.

    `pythonpath` goes to the front of `sys.path`, in its order: a user's own `worker` package is what they import.

    Raises:
        HandlerError: what, where, and what to do.
    """
    module_name, path = _split(handler)
    extend_path(pythonpath)
    value: object = _import(module_name, pythonpath)
    for part in path:
        value = _attribute(value, part, handler)
    return value


def load_classes(names: Sequence[str], key: str = "errors.poison") -> tuple[type[BaseException], ...]:
    """Return the exception classes that `names` ("module:Class", or the bare name of a builtin one) of `key` stand for.

    Raises:
        HandlerError: a name that is not an importable exception class.
    """
    return tuple(_exception(name, key) for name in names)


def extend_path(pythonpath: Sequence[str]) -> None:
    """Put the entries of `pythonpath` at the front of `sys.path`, in their order."""
    entries = [str(Path(entry).absolute()) for entry in pythonpath]
    sys.path[:] = entries + [entry for entry in sys.path if entry not in entries]
    importlib.invalidate_caches()


def failure(doing: str, error: BaseException) -> HandlerError:
    """Return the error for an exception that user code raised while we were `doing` something with it."""
    what = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    return HandlerError(f"{doing} raised {what}{_where(error)}", permanent=isinstance(error, _MISTAKES))


def _split(handler: str) -> tuple[str, list[str]]:
    module, _, attribute = handler.partition(":")
    parts = attribute.split(".")
    if not all(part.isidentifier() for part in [*module.split("."), *parts]):
        raise HandlerError(f'{handler!r} is not "module:attribute", for example "orders:handle"')
    return module, parts


def _import(name: str, pythonpath: Sequence[str]) -> ModuleType:
    importer = os.getpid()
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is None or not (name == error.name or name.startswith(f"{error.name}.")):
            raise failure(f"importing {name}", error) from error
        hint = f'; leave out ".py": {name.removesuffix(".py")!r}' if name.endswith(".py") else ""
        searched = ", ".join(str(Path(entry).absolute()) for entry in pythonpath) or "sys.path"
        raise HandlerError(f"no module named {error.name!r} in {searched} (app.pythonpath){hint}") from error
    except BaseException as error:  # the user's module ran: whatever it raised is the reason
        raise failure(f"importing {name}", error) from error
    finally:
        if os.getpid() != importer:  # the module forked, and this is the copy: it must not become a second worker
            os._exit(0)


def _attribute(owner: object, name: str, handler: str) -> object:
    try:
        return getattr(owner, name)
    except AttributeError:
        close = difflib.get_close_matches(name, dir(owner), n=1)
        hint = f"; did you mean {close[0]!r}?" if close else ""
        raise HandlerError(f"{handler!r}: {_describe(owner)} has no attribute {name!r}{hint}") from None


def _describe(owner: object) -> str:
    if not isinstance(owner, ModuleType):
        return repr(owner)
    if getattr(owner, "__file__", None):
        return f"module {owner.__name__} ({owner.__file__})"
    return f"module {owner.__name__} (a folder without __init__.py: {', '.join(getattr(owner, '__path__', []))})"


def _exception(name: str, key: str) -> type[BaseException]:
    value: object = getattr(builtins, name, None) if ":" not in name else resolve(name, ())
    if isinstance(value, type) and issubclass(value, BaseException):
        return value
    raise HandlerError(f'{name!r} ({key}) is not an exception class; write "module:Class"')


def _where(error: BaseException) -> str:
    if isinstance(error, SyntaxError) and error.filename:
        return f" ({error.filename}, line {error.lineno})"
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if not frame.filename.startswith("<frozen")]
    ours = str(Path(__file__).parent)
    theirs = [frame for frame in frames if not frame.filename.startswith(ours) and "importlib" not in frame.filename]
    return f" ({theirs[-1].filename}, line {theirs[-1].lineno})" if theirs else ""
