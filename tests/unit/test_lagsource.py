"""`kherd lag`: what its options mean together, and which of them are refused."""

from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from kherd.supervisor.cli import lag
from kherd.supervisor.cli.lagsource import Asked, source_of
from kherd.supervisor.cli.outside import RefusedPropertyError, named_target, onlooker, other_group, target_of

CONFIG = """
[app]
name = "orders"
handler = "orders:handle"
[kafka]
bootstrap = "127.0.0.1:1"
topics = ["orders"]
start = "latest"
[kafka.client]
"security.protocol" = "ssl"
[kafka.consumer]
"isolation.level" = "read_uncommitted"
[state]
dir = "{folder}/state"
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "kherd.toml"
    path.write_text(CONFIG.format(folder=tmp_path))
    return path


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--bootstrap", "b:1"], "add --group NAME"),
        (["--topic", "t"], "add --group NAME"),
        (["-X", "a=b"], "add --group NAME"),
        (["--start", "latest"], "add --group NAME"),
        (["--group", "", "--bootstrap", "b:1"], "--group: must not be empty"),
        (["--group", "g", "--app", "a"], "give -c or --bootstrap instead"),
        (["--group", "g", "--bootstrap", "b:1", "-c", "x.toml"], "give one of -c, --app and --bootstrap"),
        (["-c", "x.toml", "--app", "a"], "give one of -c, --app and --bootstrap"),
        (["--group", "g", "--bootstrap", "b:1", "-X", "compression"], "give NAME=VALUE"),
        (["--group", "g", "--bootstrap", "b:1", "-X", "=x"], "give NAME=VALUE"),
        (["--group", "g", "--bootstrap", "b:1", "-X", "group.id=h"], "use --group"),
        (["--group", "g", "--bootstrap", "b:1", "-X", "isolation.level=some"], "read_committed or read_uncommitted"),
        (["--group", "g", "--bootstrap", "b:1", "-X", "no.such=1"], "No such configuration property"),
        (["--group", "g", "--bootstrap", "b:1", "-X", "oauth_cb=1"], "oauth_cb"),
        (["--group", "g", "--bootstrap", "b:1", "--start", "error"], "--start"),
    ],
)
def test_options_that_make_no_sense_are_refused_with_2(arguments: list[str], says: str) -> None:
    result = CliRunner().invoke(lag.command, arguments)
    assert result.exit_code == 2
    assert says in result.output


def test_a_file_that_cannot_be_used_ends_with_78_and_says_that_no_herd_runs(config: Path) -> None:
    config.write_text(config.read_text() + "[workers]\ncuont = 1\n")
    result = CliRunner().invoke(lag.command, ["-c", str(config)])
    assert result.exit_code == 78
    assert f"no herd of {config} is running" in result.output
    assert "cuont" in result.output
    result = CliRunner().invoke(lag.command, ["-c", str(config), "--group", "g"])
    assert result.exit_code == 78
    assert "cuont" in result.output


def test_a_property_of_the_file_that_librdkafka_refuses_ends_with_78(config: Path) -> None:
    config.write_text(config.read_text().replace('"ssl"', '"tsl"'))
    result = CliRunner().invoke(lag.command, ["-c", str(config), "--group", "g"])
    assert result.exit_code == 78
    assert "security.protocol" in result.output


def test_there_is_neither_a_herd_nor_a_file(tmp_path: Path) -> None:
    missing = tmp_path / "no.toml"
    assert CliRunner().invoke(lag.command, ["-c", str(missing)]).exit_code == 1
    assert CliRunner().invoke(lag.command, ["-c", str(missing), "--group", "g"]).exit_code == 78
    result = CliRunner().invoke(lag.command, ["--app", "nobody-has-this-name"])
    assert result.exit_code == 1
    assert "--bootstrap HOST:PORT --group NAME" in result.output


def test_a_herd_that_is_down_has_its_group_read_as_the_file_says(config: Path) -> None:
    source = source_of(config, None, Asked(None, None, (), (), None))
    assert source.direct
    target = target_of(config)
    assert (target.kafka.group, target.kafka.topics, target.kafka.start) == ("orders", ("orders",), "latest")
    assert target.kafka.consumer["isolation.level"] == "read_uncommitted"
    assert not target.named


def test_another_group_takes_the_login_of_the_file_and_nothing_of_its_workers(config: Path) -> None:
    target = other_group(target_of(config), "billing", ("bills",), {"ssl.ca.location": "x"})
    assert (target.kafka.group, target.kafka.topics) == ("billing", ("bills",))
    assert target.kafka.client == {"security.protocol": "ssl", "ssl.ca.location": "x"}
    assert target.kafka.consumer == {}
    assert (target.named, target.typed, target.dead_letter) == (True, True, None)


def test_the_embedded_broker_of_a_herd_that_is_down_is_down_too(config: Path) -> None:
    text = config.read_text().replace('"127.0.0.1:1"', '"embedded"')
    config.write_text(text.replace('[kafka.client]\n"security.protocol" = "ssl"\n', ""))
    with pytest.raises(click.ClickException, match="no herd of"):
        source_of(config, None, Asked("g", None, (), (), None))


def test_a_callable_property_is_refused_in_words() -> None:
    with pytest.raises(RefusedPropertyError, match="oauth_cb"):
        onlooker(named_target("b:1", "g", (), {"oauth_cb": "x"}))
