"""The configuration as it is in force: every key with its value, secrets redacted, in TOML that can be read back."""

import json
from collections.abc import Callable, Mapping
from typing import Any, Final

from ...worker.properties import consumer_properties, producer_properties
from ...worker.spec import WorkerSpec, instance_id
from .instance import is_static, resolve_instance
from .load import Loaded
from .schema import Settings
from .secrets import REDACTED, Secrets, is_sensitive
from .sections import Section
from .spec import worker_spec
from .state import state_dir
from .types import format_duration, format_percent, format_size, parse_duration, parse_percent, parse_size

BARE: Final = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-")
_FORMATS: Final[dict[object, Callable[[Any], str]]] = {
    parse_duration: format_duration,
    parse_size: format_size,
    parse_percent: format_percent,
}


def effective(loaded: Loaded) -> dict[str, dict[str, Any]]:
    """Return section -> key -> value as the file would have it, without keys that have neither value nor default."""
    shown: dict[str, dict[str, Any]] = {}
    for section in Settings.model_fields:
        part = getattr(loaded.settings, section)
        shown[section] = {name: _shown(one) for name, one in part.items()} if isinstance(part, dict) else _shown(part)
    redacted: dict[str, dict[str, Any]] = redact(shown, loaded.secrets)
    return redacted


def _shown(section: Section) -> dict[str, Any]:
    kind = type(section)
    values = {key: in_words(kind, key, getattr(section, key)) for key in kind.model_fields}
    return {key: value for key, value in values.items() if value is not None}


def in_words(section: Any, key: str, value: Any) -> Any:
    """Return a value as a person writes it: durations and sizes with their units, lists as lists."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        for mark in section.model_fields[key].metadata:
            if (written := _FORMATS.get(getattr(mark, "func", None))) is not None:
                return written(value)
    return list(value) if isinstance(value, tuple) else value


def derived(loaded: Loaded) -> dict[str, Any]:
    """Return what follows from the configuration and this host, secrets redacted."""
    settings = loaded.settings
    instance = resolve_instance(settings)
    static = is_static(settings, instance)
    app = settings.app.name
    found: dict[str, Any] = {
        "instance": instance,
        "group": settings.group,
        "group_protocol": settings.group_protocol,
        "static_membership": static,
        "instance_ids": f"{instance_id(app, instance, 0)} …" if static and instance else None,
        "state_dir": str(state_dir(settings)),
        "control_socket": settings.control.socket or str(state_dir(settings) / "control.sock"),
        "pythonpath": list(spec_of(loaded).pythonpath),
    }
    redacted: dict[str, Any] = redact(found, loaded.secrets)
    return redacted


def properties(loaded: Loaded) -> dict[str, dict[str, Any]]:
    """Return what librdkafka's clients are given, secrets redacted."""
    spec = spec_of(loaded)
    instance = instance_id(spec.app, spec.instance, 0) if spec.kafka.static_membership and spec.instance else None
    found = {
        "consumer": consumer_properties(
            spec.kafka, client_id=f"{spec.app}-0", instance_id=instance, handler_timeout=spec.handler_timeout
        ),
        "producer": producer_properties(spec.kafka, client_id=f"{spec.app}-0"),
    }
    redacted: dict[str, dict[str, Any]] = redact(found, loaded.secrets)
    return redacted


def spec_of(loaded: Loaded) -> WorkerSpec:
    """Return what the first generation's workers would be told."""
    return worker_spec(loaded, generation=1, bootstrap=loaded.settings.kafka.bootstrap)


def redact(value: Any, secrets: frozenset[str]) -> Any:
    """Return `value` without secrets: those known, and whatever stands under a sensitive key."""
    known = Secrets()
    known.values.update(secrets)
    return _redact(value, known)


def _redact(value: Any, secrets: Secrets) -> Any:
    if isinstance(value, Mapping):
        return {key: REDACTED if _is_secret(key, item) else _redact(item, secrets) for key, item in value.items()}
    if isinstance(value, list):
        return [_redact(item, secrets) for item in value]
    return secrets.redact(value) if isinstance(value, str) else value


def _is_secret(key: str, item: Any) -> bool:
    return is_sensitive(key) and bool(item) and not isinstance(item, Mapping)


def to_toml(document: Mapping[str, Mapping[str, Any]]) -> str:
    """Return sections of scalars, lists of text, and tables of scalars as TOML."""
    parts: list[str] = []
    for section, values in document.items():
        plain = {key: value for key, value in values.items() if not isinstance(value, Mapping)}
        tables = {key: value for key, value in values.items() if isinstance(value, Mapping) and value}
        parts.append(_table(section, plain) if plain else "")
        parts += [_table(f"{section}.{_key(key)}", value) for key, value in tables.items()]
    return "\n".join(part for part in parts if part)


def _table(name: str, values: Mapping[str, Any]) -> str:
    lines = [f"{_key(key)} = {_value(value)}" for key, value in values.items()]
    return "\n".join([f"[{name}]", *lines]) + "\n"


def _key(key: str) -> str:
    return key if key and set(key) <= BARE else _text(key)


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return f"[{', '.join(map(_value, value))}]"
    return _text(value) if isinstance(value, str) else str(value)


def _text(text: str) -> str:
    # JSON's escapes are TOML's, but for this one character, which JSON leaves as it is.
    return json.dumps(text.replace("${", "$${"), ensure_ascii=False).replace("\x7f", "\\u007f")
