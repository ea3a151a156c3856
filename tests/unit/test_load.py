"""A configuration file, and everything that can be wrong with one."""

import os
from pathlib import Path

import pytest

from kherd.supervisor.config.effective import effective, to_toml
from kherd.supervisor.config.errors import ConfigError
from kherd.supervisor.config.load import load
from kherd.supervisor.config.spec import worker_spec
from kherd.worker.spec import BreakerSpec

from ..fakes.configs import START, loaded, problems


def test_the_example_of_the_readme_is_all_it_takes(tmp_path: Path) -> None:
    found = loaded(tmp_path, START)
    assert found.settings.app.name == found.settings.group == "orders"
    assert found.settings.workers.count == 2
    assert found.path == tmp_path / "kherd.toml"
    assert len(found.digest) == 64


def test_all_problems_are_told_at_once(tmp_path: Path) -> None:
    found = problems(
        tmp_path,
        START + '[workers]\ncount = -1\nmode = "batches"\n[errors]\nbackoff_initial = "2m"\n[lagg]\nx = 1\n'
        '[kafka.consumer]\n"group.id" = "x"\n[stop]\ntimeout = "soon"\n',
    )
    assert found == [
        "workers.count: must be at least 0, got -1",
        "workers.mode: must be 'record' or 'batch', got 'batches'",
        'stop.timeout: must be a duration like "30s", "5m" or "100ms", or seconds, got \'soon\'',
        "lagg: is no known key, did you mean 'lag'?",
        "errors.backoff_initial: must not be above errors.backoff_max (1m), got 2m",
        "kafka.consumer.group.id: cannot be set: use kafka.group",
    ]


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("[app]\nhandlr = 'x'", "app.handlr: is no known key, did you mean 'app.handler'?"),
        ("topics = ['x']", "topics: is no known key, did you mean 'kafka.topics'?"),
        ("[workers]\ntopics = ['x']", "workers.topics: is no known key, did you mean 'kafka.topics'?"),
        ("[lag]\nqqqqq = 1", "lag.qqqqq: is no known key; known here: interval, alert_above"),
    ],
)
def test_an_unknown_key_is_an_error_with_the_nearest_name(tmp_path: Path, text: str, path: str) -> None:
    assert path in problems(tmp_path, text)


@pytest.mark.parametrize(
    "text",
    [
        "[autoscale]\ncatch_up = 3",
        "[autoscale]\npolicy = 'model'",
        "[dead_letter]\ncompat = ['spring']",
    ],
)
def test_a_key_of_a_later_version_is_refused_as_such(tmp_path: Path, text: str) -> None:
    assert any("does not exist in this version of kherd" in problem for problem in problems(tmp_path, text))


def test_an_empty_file_is_told_what_it_needs(tmp_path: Path) -> None:
    found = [problem.partition(":")[0] for problem in problems(tmp_path, "")]
    assert found == ["app.name", "app.handler", "kafka.bootstrap", "kafka.topics"]


def test_exactly_once_is_refused_with_the_reason(tmp_path: Path) -> None:
    (problem,) = problems(tmp_path, START + '[delivery]\nguarantee = "exactly_once"')
    assert "does not exist in this version" in problem
    assert '"at_least_once"' in problem


@pytest.mark.parametrize("value", ["nan", "inf", "-1", "1e300", '"-5s"', '"5 parsecs"', "true", "[1]", "{a = 1}"])
def test_a_duration_is_a_duration(tmp_path: Path, value: str) -> None:
    (problem,) = problems(tmp_path, START + f"[lag]\ninterval = {value}")
    assert problem.startswith("lag.interval: must be ")


def test_numbers_from_the_environment_are_numbers(tmp_path: Path) -> None:
    text = START + '[workers]\ncount = "${N}"\npreload = 1\n[stop]\nleave = "${LEAVE}"\n[app2]\n'
    found = problems(tmp_path, text, {"N": "4", "LEAVE": "true"})
    assert [problem.partition(":")[0] for problem in found] == ["workers.preload", "app2"]


def test_a_toml_mistake_is_told_with_its_line(tmp_path: Path) -> None:
    (problem,) = problems(tmp_path, START + "[workers]\ncount = = 3\n")
    assert "is not TOML" in problem
    assert "line 9" in problem


@pytest.mark.parametrize(
    "content",
    [
        b"\xff\xfe[app]",
        b"[app]\nname = 'a\x00b'",
        b"x = " + b"[" * 100_000,
        b".".join([b"a"] * 100_000) + b" = 1",
        b"x = " + b"9" * 10_000,
        b"[app]\nname = 0x" + b"f" * 10_000 + b"\n",
        b"#" + b"x" * 10_000_000,
        b"a = 9999-99-99",
    ],
    ids=["not UTF-8", "zero", "deep list", "deep key", "long number", "long hex", "10 MB", "bad date"],
)  # fmt: skip
def test_no_content_of_a_file_is_a_traceback(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "kherd.toml"
    path.write_bytes(content)
    with pytest.raises(ConfigError):
        load(path, {})


def test_what_is_no_file_is_no_traceback(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    expected = {
        tmp_path: "is a folder",
        tmp_path / "missing.toml": "there is no such file; `kherd init` writes one",
        tmp_path / "pipe": "no regular file",
        Path("/dev/zero"): "no regular file",
        tmp_path / ("x" * 300): "File name too long",
        Path("a\0b"): "null",
    }
    for path, words in expected.items():
        with pytest.raises(ConfigError) as raised:
            load(path, {})
        assert words in str(raised.value), path


def test_a_byte_order_mark_is_no_problem(tmp_path: Path) -> None:
    (tmp_path / "kherd.toml").write_bytes(b"\xef\xbb\xbf" + START.replace("\n", "\r\n").encode())
    assert load(tmp_path / "kherd.toml", {}).settings.app.name == "orders"


def test_properties_may_be_written_with_dots(tmp_path: Path) -> None:
    text = START + '[kafka.client]\nsasl.mechanism = "PLAIN"\n"sasl.username" = "x"\nsocket.keepalive.enable = true\n'
    found = loaded(tmp_path, text + "linger.ms = 0.5\n").settings.kafka.client
    assert found == {
        "sasl.mechanism": "PLAIN",
        "sasl.username": "x",
        "socket.keepalive.enable": "true",
        "linger.ms": "0.5",
    }
    assert problems(tmp_path, START + '[kafka.client]\nlinger.ms = 1\n"linger.ms" = 2\n') == [
        "kafka.client.linger.ms: is there twice"
    ]


def test_relative_paths_stand_beside_the_file(tmp_path: Path) -> None:
    found = loaded(tmp_path, START + '[state]\ndir = "run"\n[control]\nsocket = "/run/x.sock"\n').settings
    assert (found.state.dir, found.control.socket) == (str(tmp_path / "run"), "/run/x.sock")


def test_static_membership_needs_an_instance(tmp_path: Path) -> None:
    text = START + "static_membership = true\n"
    (problem,) = problems(tmp_path, text, {"KUBERNETES_SERVICE_HOST": "10.0.0.1"})
    assert "set app.instance" in problem
    assert not problems(tmp_path, text.replace("[kafka]", 'instance = "a"\n[kafka]'), {"container": "lxc"})


def test_what_holds_for_a_breaker_stands_under_its_name(tmp_path: Path) -> None:
    text = START + '[breaker.db]\nfailure_threshold = 3\n[breaker."the token store"]\ntimeout = "90s"\n'
    found = loaded(tmp_path, text)
    assert worker_spec(found, generation=1, bootstrap="x").breakers == {
        "db": BreakerSpec(3, None),
        "the token store": BreakerSpec(None, 90.0),
    }
    shown = to_toml(effective(found))
    assert "[breaker.db]\nfailure_threshold = 3\n" in shown
    assert '[breaker."the token store"]\ntimeout = "90s"\n' in shown
    assert loaded(tmp_path, shown).settings == found.settings


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[breaker]\ndb = 5", "breaker.db: must be a table, got 5"),
        ("[[breaker]]", "breaker: must be a table, got a list"),
        ("[breaker.db]", "breaker.db: must have failure_threshold or timeout, got a table"),
        ("[breaker.db]\ntimeuot = 5", "breaker.db.timeuot: is no known key, did you mean 'breaker.db.timeout'?"),
        ("[breaker.db]\nwait = 5", "breaker.db.wait: is no known key; known here: failure_threshold, timeout"),
        ("[breaker.db]\nfailure_threshold = 0", "breaker.db.failure_threshold: must be at least 1, got 0"),
        ("[breaker.db]\ntimeout = 0", "breaker.db.timeout: must be above 0, got 0"),
        (
            '[breaker."~x"]\ntimeout = 5',
            "breaker.~x: the name must be 1 to 200 bytes of printable text that does not begin with ~, got '~x'",
        ),
    ],
)
def test_a_breaker_that_cannot_be_is_told(tmp_path: Path, text: str, problem: str) -> None:
    assert problems(tmp_path, f"{START}{text}\n") == [problem]
