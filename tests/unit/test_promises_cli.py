"""`kherd bench promises`: what is asked for in a wrong way, or cannot be measured here, is said."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from kherd.supervisor.cli import main


def call(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, ["bench", "promises", *map(str, arguments)])


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("speed",), "no promise is called 'speed'; there are batch, breaker, bystanders-classic, "),
        (("--bootstrap", "kafka:9092", "--brokers", "3"), "give --bootstrap or --brokers, not both"),
        (("--bootstrap", "kafka:http"), "Invalid value for '--bootstrap'"),
        (("--bootstrap", "embedded"), "promises are measured on a real Kafka"),
        (("-X", "a=b"), "-X is for --bootstrap"),
        (("--bootstrap", "kafka:9092", "-X", "hunter2"), "must be PROPERTY=VALUE"),
        (("--rounds", "0"), "0 is not in the range"),
        (("--brokers", "0"), "0 is not in the range"),
    ],
)
def test_a_bad_command_line_ends_with_2(arguments: tuple[str, ...], said: str) -> None:
    done = call(*arguments, "--list")
    assert done.exit_code == 2
    assert said in " ".join(done.output.split())
    assert "hunter2" not in done.output


def test_a_list_says_what_there_is_and_how_long_it_takes() -> None:
    done = call("--list", "--quick", "--seed", "5", "record", "idle")
    assert done.exit_code == 0
    assert "idle: 20 rounds, about " in done.output
    assert "    batch: a handler per batch has at least " in done.output
    assert "takeover" not in done.output
    assert "seed 5; about " in done.output


def test_a_folder_that_is_not_there_is_found_before_measuring(tmp_path: Path) -> None:
    done = call("--out", tmp_path / "no" / "promises.json", "idle")
    assert done.exit_code == 1
    assert f"{tmp_path / 'no'}: no such folder" in done.output


def test_without_java_each_promise_says_what_is_missing(tmp_path: Path) -> None:
    out = tmp_path / "promises.json"
    command = [sys.executable, "-m", "kherd.bench.promises", "idle", "respawn", "--out", str(out)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, env={"PATH": "/nowhere"})
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 1
    assert [line["promise"] for line in lines] == ["idle-cpu", "idle-wakeups", "respawn"]
    for line in lines:
        assert (line["measured"], line["verdict"]) == (None, "inconclusive")
        assert "no Java for a real Kafka" in line["problem"]
    assert "Error: could not be measured: idle-cpu, idle-wakeups, respawn" in done.stderr
    assert json.loads(out.read_text())["complete"] is True
