"""A matrix file: TOML, every key optional, every problem in one error."""

import difflib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, get_args

from confluent_kafka import KafkaException, Producer
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from ..supervisor.config.errors import ConfigError
from ..supervisor.config.files import read_text
from ..supervisor.config.load import leaves, parse
from ..supervisor.config.problems import WORDS, shown
from ..supervisor.config.secrets import REDACTED, Secrets, is_sensitive
from ..worker.properties import ALIASES
from .jobs import said
from .matrix import QUICK, Matrix, cells_of

LARGEST: Final = 1024 * 1024
AXIS: Final = "it is an axis of the matrix: use cells.{}"
OWNED: Final = {
    "acks": AXIS.format("acks"),
    "enable.idempotence": AXIS.format("acks"),
    "linger.ms": AXIS.format("linger_ms"),
    "batch.size": AXIS.format("batch_size"),
    "compression.type": AXIS.format("compression"),
    "bootstrap.servers": "use --bootstrap",
    "delivery.report.only.error": "every delivery is counted",
    "statistics.interval.ms": "the bench reads the statistics itself",
    "transactional.id": "transactions are not measured",
}


def load(path: Path | None, extra: Mapping[str, str], *, quick: bool) -> Matrix:
    """Return the matrix of a file (None: the default one) with `extra` client properties over it.

    Raises:
        ConfigError: the file cannot be used; every problem is named.
    """
    document = {} if path is None else parse(path, read_text(path, LARGEST))
    if isinstance(document.get("client"), dict):
        document["client"] = dict(leaves(document["client"], ""))
    if quick:
        document = _under(document, QUICK)
    matrix = _checked(document)
    client = {**matrix.client, **extra}
    problems = [f"client.{name}: cannot be set: {why}" for name in client if (why := _owned(name)) is not None]
    matrix = matrix.model_copy(update={"client": client})
    problems = problems or refusals(matrix)
    if problems:
        raise ConfigError(problems)
    return matrix


def refusals(matrix: Matrix) -> list[str]:
    """Return what librdkafka says against any cell together with the client properties."""
    found: dict[str, None] = {}
    for cell in cells_of(matrix):
        try:
            Producer({**matrix.client, **cell.properties(), "log_level": "0"})
        except (KafkaException, ValueError, TypeError) as error:
            found[f"client: librdkafka refuses it for {cell.label}: {said(error)}"] = None
    return list(found)[:5]


def _owned(name: str) -> str | None:
    return "the bench has no use for callbacks" if name.endswith("_cb") else OWNED.get(ALIASES.get(name, name))


def _under(document: dict[str, Any], defaults: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(defaults)
    for name, value in document.items():
        below = defaults.get(name)
        merged[name] = {**below, **value} if isinstance(below, dict) and isinstance(value, dict) else value
    return merged


def _checked(document: dict[str, Any]) -> Matrix:
    try:
        return Matrix.model_validate(document)
    except ValidationError as error:
        secrets = Secrets()
        secrets.collect_all(document)
        problems = [_sentence(one, secrets) for one in error.errors(include_url=False)]
        raise ConfigError(list(dict.fromkeys(problems))) from None


def _sentence(one: ErrorDetails, secrets: Secrets) -> str:
    location, context = one["loc"], one.get("ctx", {})
    path = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in location).removeprefix(".")
    if one["type"] == "extra_forbidden":
        return _unknown(path, location)
    if one["type"] == "value_error" and not location:
        return str(context["error"])
    if one["type"] == "value_error":
        what = str(context["error"])
    elif one["type"] in WORDS:
        what = WORDS[one["type"]].format_map(context)
    else:
        what = one["msg"]
    hidden = any(is_sensitive(str(part)) for part in location)
    return f"{path}: {what}, got {REDACTED if hidden else shown(one['input'], secrets)}"


def _unknown(path: str, location: tuple[int | str, ...]) -> str:
    model: Any = Matrix
    for part in location[:-1]:
        if isinstance(part, str):
            model = _model(model.model_fields[part].annotation)
    known = list(model.model_fields)
    near = difflib.get_close_matches(str(location[-1]), known, n=1)
    if near:
        prefix = path[: len(path) - len(str(location[-1]))]
        return f"{path}: is no known key, did you mean {prefix + near[0]!r}?"
    return f"{path}: is no known key; known here: {', '.join(known)}"


def _model(annotation: Any) -> type[BaseModel]:
    """Return the table that a key holds, or a list of."""
    candidates = (annotation, *get_args(annotation))
    return next(one for one in candidates if isinstance(one, type) and issubclass(one, BaseModel))


def with_rounds(matrix: Matrix, rounds: int | None) -> Matrix:
    """Return `matrix` with `rounds` rounds of producers and of consumers; None: its own."""
    if rounds is None:
        return matrix
    load, consume = (one.model_copy(update={"rounds": rounds}) for one in (matrix.load, matrix.consume))
    return matrix.model_copy(update={"load": load, "consume": consume})
