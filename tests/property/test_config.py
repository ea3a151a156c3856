"""Whatever a file holds: settings or a list of problems, never a traceback, and never a secret."""

import copy
import json
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from kherd.supervisor.config.effective import derived, effective, properties, to_toml
from kherd.supervisor.config.errors import ConfigError
from kherd.supervisor.config.load import Loaded, load
from kherd.supervisor.config.schema import Settings
from kherd.supervisor.config.spec import worker_spec
from kherd.worker.properties import consumer_properties, producer_properties

from ..fakes.configs import document

MARKER = "gehe im'47\"11ü%"
SENSITIVE = (
    "sasl.password", "sasl.username", "ssl.key.password", "ssl.key.pem", "ssl_key", "ssl.ca.pem",
    "ssl.keystore.password", "sasl.oauthbearer.config", "sasl.oauthbearer.client.secret",
    "sasl.oauthbearer.client.credentials.client.secret", "sasl.oauthbearer.assertion.private.key.pem",
    "ssl.key.location", "basic.auth.user.info", "bearer.auth.token", "sasl.jaas.config", "some.new.passphrase",
)  # fmt: skip
PATHS = ["breaker.db", "breaker.a token", *(f"{section}.{key}" for section, field in Settings.model_fields.items()
         for key in getattr(field.annotation, "model_fields", ()))]  # fmt: skip
scalars = (
    st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=30)
    | st.sampled_from(["5s", "embedded", "${HOME}", "${", "file:x", "^a[", "a:b", "true", "auto", "", "0", "-1"])
    | st.sampled_from([10**400, -1, 2**63, 1e308, "\x00", "\x1b[2J", "a" * 5000])
)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=9), inner, max_size=4),
    max_leaves=8,
)
changes = st.dictionaries(st.sampled_from(PATHS), values | st.just(None), max_size=6)


def toml(value: Any) -> str:
    """Return `value` as TOML in one line."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{text(key)} = {toml(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(toml, value)) + "]"
    return text(value) if isinstance(value, str) else str(value).lower()


def text(value: str) -> str:
    escaped = "".join(f"\\U{ord(char):08x}" if not char.isalnum() or ord(char) > 126 else char for char in value)
    return f'"{escaped}"'


def file_of(tables: Mapping[str, Any]) -> str:
    return "\n".join(f"{text(key)} = {toml(value)}" for key, value in tables.items())


def mutated(change: Mapping[str, Any]) -> dict[str, Any]:
    made = copy.deepcopy(document())
    for path, value in change.items():
        section, key = path.split(".")
        made.setdefault(section, {})[key] = value
        if value is None:
            del made[section][key]
    return made


def load_text(folder: Path, content: str, environment: Mapping[str, str] | None = None) -> Loaded | list[str]:
    path = folder / "kherd.toml"
    path.write_bytes(content.encode(errors="surrogatepass"))
    try:
        return load(path, environment or {"HOME": "/x"})
    except ConfigError as error:
        found = error.problems
    assert found
    assert all(isinstance(problem, str) and problem for problem in found)
    return found


anywhere = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)


@anywhere
@given(st.text() | st.dictionaries(st.text(max_size=9) | st.sampled_from(["app", "kafka"]), values).map(file_of))
@example('app = 1\nkafka = "x"')
@example("[[app]]\n[[app]]\n[kafka]\ntopics = [[1]]")
@example("[kafka]\nclient = {a = {b = {c = 1}}}\nconsumer = []\nproducer = [{}]")
@example("[kafka.client]\n'' = 1\n'a\\nb' = ''")
def test_any_file_is_settings_or_problems(tmp_path: Path, content: str) -> None:
    load_text(tmp_path, content)


@anywhere
@given(changes)
def test_a_usable_file_with_anything_changed_is_settings_or_problems(tmp_path: Path, change: dict[str, Any]) -> None:
    found = load_text(tmp_path, file_of(mutated(change)))
    if isinstance(found, Loaded):
        # What can be loaded can be told to workers, shown, and read back.
        spec = worker_spec(found, generation=1, bootstrap="x")
        consumer = consumer_properties(
            spec.kafka, client_id="c", instance_id=None, handler_timeout=spec.handler_timeout
        )
        assert all(
            isinstance(value, str) for value in {**consumer, **producer_properties(spec.kafka, client_id="c")}.values()
        )
        json.dumps([effective(found), derived(found), properties(found)])
        tomllib.loads(to_toml(effective(found)))


@anywhere
@given(changes)
def test_what_is_shown_is_what_is_in_force(tmp_path: Path, change: dict[str, Any]) -> None:
    found = load_text(tmp_path, file_of(mutated(change)))
    if isinstance(found, Loaded) and not found.secrets and "file:" not in str(found.settings):
        again = load_text(tmp_path, to_toml(effective(found)))
        assert isinstance(again, Loaded), again
        assert again.settings == found.settings


def shown_of(found: Loaded | list[str]) -> str:
    if isinstance(found, list):
        return "\n".join(found)
    return to_toml(effective(found)) + json.dumps([effective(found), derived(found), properties(found)])


@anywhere
@given(
    st.sampled_from(SENSITIVE),
    st.sampled_from(["client", "consumer", "producer"]),
    changes,
    st.sampled_from(["{}", "x{}y", "{}\n{}"]),
)
def test_what_stands_under_a_secret_name_is_never_shown(
    tmp_path: Path, name: str, section: str, change: dict[str, Any], form: str
) -> None:
    made = mutated(change)
    made.setdefault("kafka", {})[section] = {name: form.format(MARKER, MARKER)}
    found = load_text(tmp_path, file_of(made))
    assert MARKER not in shown_of(found)
    # A traceback may show these two.
    told = () if isinstance(found, list) else (found.settings, worker_spec(found, generation=1, bootstrap="x"))
    assert repr(MARKER)[1:-1] not in repr(told)


@anywhere
@given(
    st.sampled_from(PATHS), changes, st.sampled_from(["file:secret", "${THE_PASSWORD}", "x://me:${THE_PASSWORD}@h/"])
)
def test_a_secret_in_any_place_is_never_shown(tmp_path: Path, path: str, change: dict[str, Any], form: str) -> None:
    (tmp_path / "secret").write_text(MARKER + "\n")
    made = mutated(change)
    section, key = path.split(".")
    for value in (form, [form], {"a": form}):
        made.setdefault(section, {})[key] = value
        shown = shown_of(load_text(tmp_path, file_of(made), {"HOME": "/x", "THE_PASSWORD": MARKER}))
        assert MARKER not in shown
        assert json.dumps(MARKER)[1:-1] not in shown
        assert repr(MARKER)[1:-1] not in shown
