"""The control protocol: JSON lines over a unix stream socket, as values. Pure: nothing here touches a socket.

    request  {"v": 1, "command": "scale", "args": {"to": 4}}
    answer   {"v": 1, "ok": true, "data": …}   or   {"v": 1, "ok": false, "error": "what, where, what to do"}

One request is one line of at most MAX_REQUEST bytes and gets one answer, in order. What the data of an answer is:

    status  the status document (`supervisor/status.py`)
    lag     its "lag" part
    scale   {"before": workers, "after": workers, "pinned": whether the count is held against configuration and lag,
            "autoscale": whether it follows the lag}
    reload  {"changes": [what changed, a sentence each], "generation": int, "rolling": whether workers are still to be
            rolled to it}, at once; problems are an error. How the roll ends is in "rolls" of the status document
    restart {"generation": int, "rolling": as above}, at once
    pause   {"changed": whether it was not paused before, "paused": the "paused" part of the status document}
    resume  {"changed": whether any of it was paused, "paused": what still is}
    stop    {"pid": int, "seconds": until its deadline}, at once: the end itself is seen at the process

`pause` and `resume` are about everything; with `topic` about that topic, with `partition` too about that partition.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from ..config.types import is_topic
from ..decide.halts import MAX_PARTITION

VERSION: Final = 1
MAX_REQUEST: Final = 64 * 1024
MAX_ANSWER: Final = 16 * 1024 * 1024
MAX_WORKERS: Final = 10_000
SHOWN: Final = 60
"""Characters of a client's own words that an answer repeats."""


class ProtocolError(Exception):
    """A line is not what the protocol says; the text says what it should have been."""


class VersionMismatchError(ProtocolError):
    """The other side speaks another version of the protocol."""


@dataclass(frozen=True, slots=True)
class Request:
    """One command with all of its arguments; `client` is the connection it came on, for an answer that comes later."""

    command: str
    args: Mapping[str, Any] = field(default_factory=dict)
    client: int = 0


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of a request: `data` if it was done, else `error`."""

    ok: bool
    data: Any = None
    error: str | None = None


def done(data: Any = None) -> Answer:
    """Return the answer to what was done."""
    return Answer(ok=True, data=data)


def refused(error: str) -> Answer:
    """Return the answer to what was not done."""
    return Answer(ok=False, error=error)


@dataclass(frozen=True, slots=True)
class Argument:
    """One argument of a command. A number lies in `low` to `high`, text is a topic's name; all may be left out."""

    kind: type[bool] | type[int] | type[str]
    default: bool | None
    low: int = 0
    high: int = 0


_FLAG: Final = Argument(bool, default=False)
_PLACE: Final = {
    "topic": Argument(str, default=None),
    "partition": Argument(int, default=None, low=0, high=MAX_PARTITION),
}
COMMANDS: Final[Mapping[str, Mapping[str, Argument]]] = {
    "status": {},
    "lag": {},
    "scale": {
        "to": Argument(int, default=None, low=0, high=MAX_WORKERS),
        "by": Argument(int, default=None, low=-MAX_WORKERS, high=MAX_WORKERS),
        "auto": _FLAG,
    },
    "reload": {},
    "restart": {},
    "pause": _PLACE,
    "resume": _PLACE,
    "stop": {"now": _FLAG, "leave": _FLAG},
}


def encode_request(request: Request) -> bytes:
    """Return the line of `request`."""
    return _line({"v": VERSION, "command": request.command, "args": dict(request.args)})


def encode_answer(answer: Answer) -> bytes:
    """Return the line of `answer`; data that is no JSON, or too much of it, becomes an error that says so."""
    try:
        line = _line({"v": VERSION, "ok": True, "data": answer.data} if answer.ok else _error(answer.error))
    except (TypeError, ValueError, RecursionError) as error:
        return _line(_error(f"[BUG] the answer cannot be encoded: {error}"))
    if len(line) > MAX_ANSWER:
        return _line(_error(f"the answer has {len(line)} bytes, more than {MAX_ANSWER}"))
    return line


def decode_request(line: bytes) -> Request:
    """Return the request of `line`, every argument filled in.

    Raises:
        ProtocolError: the line is not a request of this version.
    """
    document = _object(line, "a request")
    _expect_version(document, "the command", "this supervisor")
    _expect_fields(document, known={"v", "command", "args"}, needed="command")
    command = document["command"]
    if not isinstance(command, str) or command not in COMMANDS:
        raise ProtocolError(f"unknown command {_shown(command)}: there are {', '.join(COMMANDS)}")
    args = document.get("args", {})
    if not isinstance(args, dict):
        raise ProtocolError(f"args of {command} must be an object, got {_shown(args)}")
    return Request(command, _checked(command, args))


def decode_answer(line: bytes) -> Answer:
    """Return the answer of `line`.

    Raises:
        VersionMismatchError: the supervisor speaks another version.
        ProtocolError: the line is not an answer.
    """
    document = _object(line, "an answer")
    _expect_version(document, "the supervisor", "this command")
    ok, error = document.get("ok"), document.get("error")
    if ok is True:
        return done(document.get("data"))
    if ok is False and isinstance(error, str):
        return refused(error)
    raise ProtocolError(f"not an answer: {_shown(document)}")


def _checked(command: str, given: Mapping[str, Any]) -> dict[str, Any]:
    arguments = COMMANDS[command]
    for name, value in given.items():
        if name not in arguments:
            known = ", ".join(arguments) or "none"
            raise ProtocolError(f"unknown argument {_shown(name)} of {command}: there is {known}")
        _check(f"{name} of {command}", arguments[name], value)
    filled = {name: given.get(name, argument.default) for name, argument in arguments.items()}
    if command == "scale" and sum(1 for value in filled.values() if value is not None and value is not False) != 1:
        raise ProtocolError("scale needs exactly one of to, by and auto")
    if filled.get("partition") is not None and filled["topic"] is None:
        raise ProtocolError(f"partition of {command} needs a topic")
    return filled


def _check(what: str, argument: Argument, value: Any) -> None:
    if value is None and argument.default is None:
        return
    if argument.kind is bool:
        if not isinstance(value, bool):
            raise ProtocolError(f"{what} must be true or false, got {_shown(value)}")
        return
    if argument.kind is str:
        if not isinstance(value, str) or not is_topic(value):
            raise ProtocolError(f"{what} must be a topic's name, got {_shown(value)}")
        return
    if not isinstance(value, int) or isinstance(value, bool) or not argument.low <= value <= argument.high:
        raise ProtocolError(
            f"{what} must be a whole number from {argument.low} to {argument.high}, got {_shown(value)}"
        )


def _expect_version(document: Mapping[str, Any], they: str, we: str) -> None:
    version = document.get("v")
    if type(version) is not int or version != VERSION:  # true and 1.0 are equal to 1
        raise VersionMismatchError(
            f"{they} speaks protocol version {_shown(version)}, {we} {VERSION}: "
            "both have to come from one installation of kherd"
        )


def _expect_fields(document: Mapping[str, Any], *, known: set[str], needed: str) -> None:
    if needed not in document:
        raise ProtocolError(f"a request needs a {needed}")
    unknown = sorted(set(document) - known)
    if unknown:
        raise ProtocolError(f"a request has no field {_shown(unknown[0])}")


def _object(line: bytes, what: str) -> dict[str, Any]:
    try:
        document = json.loads(line.decode(), object_pairs_hook=_unique, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise ProtocolError(
            f"{what} is one line of JSON, got {_shown(line.decode(errors='replace'))}: {error}"
        ) from error
    if not isinstance(document, dict):
        raise ProtocolError(f"{what} is a JSON object, got {_shown(document)}")
    return document


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a field is there twice")
    return found


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is not JSON")


def _shown(value: Any) -> str:
    """Return `value` as it may be repeated to who sent it: short, and harmless on a terminal."""
    try:
        text = ascii(value)
    except (ValueError, RecursionError):
        return "something that cannot be shown"
    return text if len(text) <= SHOWN else text[: SHOWN - 1] + "…"


def _error(text: str | None) -> dict[str, Any]:
    return {"v": VERSION, "ok": False, "error": text or "[BUG] refused without a reason"}


def _line(document: Mapping[str, Any]) -> bytes:
    return json.dumps(document, separators=(",", ":"), allow_nan=False).encode() + b"\n"
