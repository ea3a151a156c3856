"""`kherd check --live` says of real brokers what would go wrong, a line each with what to do, and changes nothing."""

import json
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from kherd.testing import toml
from kherd.testing.kafka import KafkaCluster
from kherd.testing.plugin import NewTopic
from kherd.testing.security import HERD, OUTSIDER
from kherd.testing.topics import Cluster


def check(folder: Path, bootstrap: str, topics: list[str], **tables: dict[str, Any]) -> tuple[int, dict[str, str]]:
    """Return the exit code, and the findings as what they are about -> level and text."""
    config = {
        "app": {"name": "orders", "handler": "orders:handle"},
        "kafka": {"bootstrap": bootstrap, "topics": topics, **tables.pop("kafka", {})},
        **tables,
    }
    (folder / "kherd.toml").write_text(toml.dumps(config))
    (folder / "orders.py").write_text("def handle(message):\n    pass\n")
    command = [sys.executable, "-m", "kherd", "check", "--live", "--json"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=90)
    assert done.stdout, done.stderr
    document = json.loads(done.stdout)
    assert document["problems"] == []
    findings: dict[str, str] = {}
    for one in document["findings"]:
        about, _, text = one["text"].partition(": ")
        findings[about] = findings.get(about, "") + f"{one['level']}: {text}\n"
    return done.returncode, findings


@pytest.mark.parametrize("protocol", ["classic", "consumer"])
def test_what_is_ready_is_said_to_be(kafka: Cluster, topic: NewTopic, tmp_path: Path, protocol: str) -> None:
    name = topic(2)
    code, found = check(tmp_path, kafka.bootstrap, [name], kafka={"group_protocol": protocol}, workers={"count": 3})
    assert code == 0
    assert found["brokers"] == "ok: they answer\n"
    assert found[f"topic {name}"].startswith("ok: 2 partitions, 1 replica\nwarn: has 1 replica:")
    assert found[f"dead-letter topic dlq.{name}"].startswith("ok: is created at start, with 2 partitions")
    assert found["workers.count"].startswith("warn: 3 workers for 2 partitions: 1 will have no work")
    assert found["group orders"].startswith("ok: has offsets of 0 of 2 partitions")
    assert found["death notices"] == "ok: can be sent\n"
    assert found[f"group protocol {protocol}"] == "ok: supported\n"
    assert f"dlq.{name}" not in kafka.admin().list_topics(timeout=10).topics


def test_what_is_missing_fails(kafka: Cluster, unique: Callable[[str], str], tmp_path: Path) -> None:
    name = unique("missing")
    code, found = check(tmp_path, kafka.bootstrap, [name, f"^{name}-.*"])
    assert code == 1
    assert found[f"topic {name}"].startswith("fail: does not exist; create it")


def test_a_dead_letter_topic_that_nobody_creates_fails(kafka: Cluster, topic: NewTopic, tmp_path: Path) -> None:
    name = topic(1)
    code, found = check(tmp_path, kafka.bootstrap, [name], dead_letter={"create": False})
    assert code == 1
    assert found[f"dead-letter topic dlq.{name}"].startswith("fail: does not exist, and dead_letter.create is off")


def test_brokers_that_do_not_answer_fail_with_their_reasons(tmp_path: Path) -> None:
    with socket.socket() as silent:  # bound, and nobody listens
        silent.bind(("127.0.0.1", 0))
        port = silent.getsockname()[1]
        code, found = check(tmp_path, f"127.0.0.1:{port}", ["orders"])
    assert code == 1
    assert f"127.0.0.1:{port}: Connect to ipv4#127.0.0.1:{port} failed: Connection refused" in found["brokers"]


def test_a_wrong_password_and_missing_rights_fail(
    kafka_secured: KafkaCluster, topic: NewTopic, unique: Callable[[str], str], tmp_path: Path
) -> None:
    name, group = topic(1, on=kafka_secured), unique("group")
    kafka_secured.allow_herd([name], group, [f"dlq.{name}"])
    properties = kafka_secured.client_properties(HERD)
    bootstrap = properties.pop("bootstrap.servers")

    def ask(**more: str) -> tuple[int, dict[str, str]]:
        return check(tmp_path, bootstrap, [name], kafka={"group": group, "client": {**properties, **more}})

    code, found = ask()
    assert code == 0, found
    assert found["death notices"] == "ok: can be sent\n"

    code, found = ask(**{"sasl.password": "guess4711"})
    assert code == 1
    assert "uthentication failed" in found["brokers"]
    assert "guess4711" not in found["brokers"]

    outsider = kafka_secured.client_properties(OUTSIDER)
    code, found = ask(**{name: outsider[name] for name in ("sasl.username", "sasl.password")})
    assert code == 1
    assert any(text.startswith("fail: ") for text in found.values())
