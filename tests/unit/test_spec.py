"""What workers are told."""

from pathlib import Path

import pytest

from kherd.supervisor.config.load import Loaded
from kherd.supervisor.config.spec import log_spec, worker_spec
from kherd.worker.spec import KafkaSpec, WorkerSpec

from ..fakes.configs import settings


def spec(text: str = "") -> WorkerSpec:
    found = Loaded(settings(text), Path("/etc/kherd/orders.toml"), frozenset())
    return worker_spec(found, generation=3, bootstrap="127.0.0.1:1")


def kafka(text: str) -> KafkaSpec:
    return spec(text).kafka


def test_everything_is_resolved() -> None:
    told = spec("[app]\npythonpath = ['.', '/opt', '../lib']\n[dead_letter]\nformat = 'json'")
    assert (told.generation, told.instance, told.kafka.bootstrap) == (3, "host1", "127.0.0.1:1")
    assert told.pythonpath == ("/etc/kherd", "/opt", "/etc/lib")
    assert (told.kafka.group, told.kafka.group_protocol, told.kafka.static_membership) == ("orders", "classic", True)
    assert told.dead_letter.format == "json"


def test_the_embedded_broker_has_kip_848_and_dynamic_members() -> None:
    told = kafka("[kafka]\nbootstrap = 'embedded'")
    assert (told.embedded, told.group_protocol, told.static_membership) == (True, "consumer", False)


def test_presets_stand_below_what_is_configured() -> None:
    told = kafka(
        "[kafka]\npreset = 'classic-30s'\nproducer_preset = '16k'\nclient = {'fetch.min.bytes' = 7}\n"
        "consumer = {'heartbeat.interval.ms' = 5}\nproducer = {'batch.size' = 9}"
    )
    assert told.consumer == {
        "session.timeout.ms": "30000",
        "heartbeat.interval.ms": "5",
        "fetch.wait.max.ms": "500",
    }
    assert told.producer == {"batch.size": "9", "linger.ms": "10", "compression.type": "snappy"}
    assert told.client == {"fetch.min.bytes": "7"}


def test_passwords_are_not_in_a_traceback() -> None:
    text = "[kafka.client]\n'sasl.password' = 'geheim'"
    assert "geheim" not in repr(spec(text))
    assert "geheim" not in repr(settings(text))


def test_log_lines_are_json_unless_somebody_looks(capsys: pytest.CaptureFixture[str]) -> None:
    del capsys  # standard error is no terminal
    assert log_spec(settings()).format == "json"
    assert log_spec(settings("[log]\nformat = 'text'")).format == "text"
