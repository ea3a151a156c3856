"""`kherd bench`: what is asked for in a wrong way is refused before anything is measured."""

import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from kherd.supervisor.cli import main
from kherd.supervisor.cli.benchoptions import command_line

from ..fakes.benchresult import document
from .test_bench_report import saved


def call(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, ["bench", *map(str, arguments)])


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--bootstrap", "kafka:9092", "--brokers", "3"), "give --bootstrap or --brokers, not both"),
        (("--bootstrap", "kafka:http"), "Invalid value for '--bootstrap'"),
        (("--brokers", "0"), "0 is not in the range"),
        (("--rounds", "0"), "0 is not in the range"),
        (("-X", "hunter2"), "must be PROPERTY=VALUE"),
        (("-X", "acks=1"), "client.acks: cannot be set"),
        (("-X", "no.such=1"), "librdkafka refuses it"),
        (("--quick", "--fault"), "--fault needs --brokers 3"),
        (("--quick", "--only", "fault"), "--fault needs --brokers 3"),
        (("--brokers", "3", "--only", "fault", "--no-fault"), "nothing is left to measure"),
        (("--only", "everything"), "Invalid value for '--only'"),
    ],
)
def test_a_bad_command_line_ends_with_2(arguments: tuple[str, ...], said: str) -> None:
    done = call("run", *arguments, "--dry-run")
    assert done.exit_code == 2
    assert said in done.output
    assert "hunter2" not in done.output


def test_a_bad_matrix_file_ends_with_78_and_all_problems(tmp_path: Path) -> None:
    path = tmp_path / "matrix.toml"
    path.write_text("[load]\nsise = 1\nrounds = 0\n")
    done = call("run", path, "--dry-run")
    assert done.exit_code == 78
    assert "Error: load.sise: is no known key, did you mean 'load.size'?" in done.output
    assert "Error: load.rounds: must be at least 1, got 0" in done.output


def test_a_dry_run_lists_the_cells_and_the_time_and_measures_nothing(tmp_path: Path) -> None:
    out = tmp_path / "out"
    done = call("run", "--quick", "--dry-run", "--seed", "5", "--out", out)
    assert done.exit_code == 0
    assert "rate: 19 trials" in done.output
    assert "seed 5; 8 cells; about " in done.output
    assert not out.exists()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[consume]\nprotocol = "classic"', "has no classic groups"),
        ("[load]\nreplication = 3", "has one copy of everything"),
    ],
)
def test_the_embedded_broker_is_not_asked_for_what_it_has_not(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "matrix.toml"
    path.write_text(text)
    done = call("run", path, "--bootstrap", "embedded", "--dry-run")
    assert done.exit_code == 2
    assert said in done.output


def test_brokers_that_do_not_answer_end_it_with_1_and_a_cure(tmp_path: Path) -> None:
    # Port 1 on loopback: refused at once.
    done = call("run", "--bootstrap", "127.0.0.1:1", "--out", tmp_path, "-X", "socket.timeout.ms=1000")
    assert done.exit_code == 1
    assert "no broker of 127.0.0.1:1 answers" in done.output
    assert list(tmp_path.iterdir()) == []


def test_without_java_it_ends_with_1_and_says_what_else_there_is(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "kherd", "bench", "run", "--out", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, env={"PATH": "/nowhere"})
    assert done.returncode == 1
    assert "no Java for a real Kafka" in done.stderr
    assert "or measure with --quick, or give --bootstrap" in done.stderr


def test_without_pygal_it_says_so_before_it_measures(tmp_path: Path) -> None:
    script = "import sys; sys.modules['pygal'] = None; from kherd.supervisor.cli import main; main()"
    command = [sys.executable, "-c", script, "bench", "run", "--quick", "--out", str(tmp_path / "out")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert "pip install 'kherd[bench]', or --no-html" in done.stderr
    assert not (tmp_path / "out").exists()


def test_a_place_where_no_result_can_be_written_is_found_before_measuring() -> None:
    done = call("run", "--quick", "--out", "/proc/bench")
    assert done.exit_code == 1
    assert "/proc/bench" in done.output


def test_the_command_of_a_result_repeats_it_without_its_secrets() -> None:
    told = ["/x/kherd", "bench", "run", "-X", "sasl.password=hunter2", "-Xssl.key.password=hunter3", "-X", "a=b"]
    shown = command_line(told, 9)
    assert shown == ("kherd bench run -X 'sasl.password=[redacted]' '-Xssl.key.password=[redacted]' -X a=b --seed 9")
    assert command_line(["kherd", "bench", "run", "--seed", "9"], 9) == "kherd bench run --seed 9"


@pytest.mark.parametrize(
    ("shape", "begins"), [("table", "Broker: "), ("markdown", "- Broker: "), ("html", "<!DOCTYPE")]
)
def test_a_report_has_three_shapes(tmp_path: Path, shape: str, begins: str) -> None:
    done = call("report", saved(tmp_path, document()), "--format", shape)
    assert done.exit_code == 0
    assert done.output.startswith(begins)


def test_a_report_goes_to_a_file(tmp_path: Path) -> None:
    out = tmp_path / "report.html"
    assert call("report", saved(tmp_path, document()), "--format", "html", "--out", out).exit_code == 0
    assert out.read_text().startswith("<!DOCTYPE")
    done = call("report", saved(tmp_path, document()), "--format", "html", "--out", tmp_path / "no" / "report.html")
    assert done.exit_code == 1
    assert "No such file or directory" in done.output


def test_a_report_of_what_is_no_result_ends_with_1(tmp_path: Path) -> None:
    done = call("report", saved(tmp_path, "[]"))
    assert done.exit_code == 1
    assert "is no result of kherd bench" in done.output
