"""`kherd check`: what people and programs see of a configuration."""

import json
import os
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from kherd.supervisor.cli import main
from kherd.worker.exits import Exit

from ..fakes.configs import START

SECRET = "geheim-4711"
HANDLER = "def handle(message):\n    pass\n"


def check(folder: Path, text: str = START, *arguments: str, handler: str = HANDLER) -> Result:
    (folder / "kherd.toml").write_text(text)
    (folder / "orders.py").write_text(handler)
    return CliRunner().invoke(main, ["check", str(folder / "kherd.toml"), *arguments])


def test_a_good_configuration_is_shown_with_every_default(tmp_path: Path) -> None:
    result = check(tmp_path, START.replace("[kafka]", 'instance = "a"\n[kafka]'))
    assert result.exit_code == Exit.DONE, result.output
    assert '[workers]\ncount = 2\nmode = "record"' in result.stdout
    assert "# instance = a" in result.stdout
    assert "# instance_ids = orders-a-0 …" in result.stdout
    assert "# group_protocol = classic" in result.stdout
    assert result.stderr.strip().endswith("can be used")


@pytest.mark.parametrize("program", ["no-such-program", "/no/such/program"])
def test_an_alert_command_that_does_not_exist_is_a_warning(tmp_path: Path, program: str) -> None:
    result = check(tmp_path, START + f'[alerts]\ncommand = ["{program}", "--urgent"]\n')
    assert result.exit_code == Exit.DONE
    assert f"warning: alerts.command: there is no program to run, got '{program}'" in result.stderr
    assert "warning" not in check(tmp_path, START + '[alerts]\ncommand = ["sh", "-c", "true"]\n').stderr


def test_what_is_shown_is_a_configuration_again(tmp_path: Path) -> None:
    first = check(tmp_path, START + '[kafka.client]\nsasl.mechanism = "PLAIN"\n')
    assert check(tmp_path, first.stdout).stdout == first.stdout


def test_programs_get_everything_in_one_object(tmp_path: Path) -> None:
    document = json.loads(check(tmp_path, START, "--json").stdout)
    assert document["ok"] is True
    assert document["problems"] == []
    assert document["config"]["workers"]["handler_timeout"] == "20s"
    assert document["derived"]["group"] == "orders"
    assert document["librdkafka"]["consumer"]["enable.auto.commit"] == "false"


def test_a_broken_file_is_told_as_a_whole_and_ends_with_78(tmp_path: Path) -> None:
    result = check(tmp_path, START + "[workers]\ncount = -1\nmodus = 1\n")
    assert result.exit_code == Exit.CONFIG
    assert result.stdout == ""
    assert result.stderr.count("problem: ") == 2
    document = json.loads(check(tmp_path, "[app]\n", "--json").stdout)
    assert document["ok"] is False
    assert len(document["problems"]) == 4


def test_a_missing_file_ends_with_78(tmp_path: Path) -> None:
    result = CliRunner().invoke(main, ["check", str(tmp_path / "none.toml")])
    assert result.exit_code == Exit.CONFIG
    assert "kherd init" in result.stderr


@pytest.mark.parametrize(
    ("handler", "words"),
    [
        ("1 / 0\n", ["importing orders raised ZeroDivisionError", 'orders.py", line 1']),
        ("def other(message): pass\n", ["has no attribute 'handle'"]),
        ("def handle(): pass\n", ["cannot be called with one argument"]),
        ("import nowhere_to_be_found\n", ["No module named 'nowhere_to_be_found'"]),
        ("def handle(message)\n", ["SyntaxError"]),
        ("import os\nos._exit(0)\n", ["it left with 0"]),
        ("import os, signal\nos.kill(os.getpid(), signal.SIGKILL)\n", ["its process died of SIGKILL"]),
        ("import signal\nsignal.pause()\n", ["it did not end within 1 s"]),
        ("raise SystemExit\n", ["importing orders raised SystemExit"]),
    ],
)
def test_a_handler_that_cannot_be_used_is_a_clear_error(tmp_path: Path, handler: str, words: list[str]) -> None:
    result = check(tmp_path, START + "[workers]\nstart_timeout = 1\n", handler=handler)
    assert result.exit_code == Exit.CONFIG
    for word in words:
        assert word in result.stderr, result.stderr
    assert "importlib" not in result.stderr


def test_what_a_handler_prints_at_import_is_not_in_the_json(tmp_path: Path) -> None:
    result = check(tmp_path, START, "--json", handler="print('noise')\n" + HANDLER)
    assert json.loads(result.stdout)["ok"] is True


def test_librdkafkas_own_opinion_counts(tmp_path: Path) -> None:
    result = check(tmp_path, START + "[kafka.consumer]\nfetch.min.bites = 1\n")
    assert result.exit_code == Exit.CONFIG
    assert "kafka.consumer.fetch.min.bites: librdkafka says: No such configuration property" in result.stderr


def test_a_folder_that_is_not_there_is_a_warning(tmp_path: Path) -> None:
    result = check(tmp_path, START.replace("[kafka]", 'pythonpath = [".", "lib"]\n[kafka]'))
    assert result.exit_code == Exit.DONE
    assert f"warning: app.pythonpath: there is no folder {tmp_path / 'lib'}" in result.stderr


def test_a_state_folder_that_is_not_safe_is_a_warning(tmp_path: Path) -> None:
    (tmp_path / "state").mkdir()
    (tmp_path / "state").chmod(0o777)
    result = check(tmp_path, START + '[state]\ndir = "state"\n')
    assert result.exit_code == Exit.DONE
    assert f"warning: state.dir: {tmp_path / 'state'} is writable for others" in result.stderr


def test_the_embedded_broker_is_not_asked(tmp_path: Path) -> None:
    result = check(tmp_path, START.replace("kafka1:9092", "embedded"), "--live")
    assert result.exit_code == Exit.DONE
    assert "ok    brokers: the embedded one is started by `kherd run`" in result.stdout


def test_no_secret_is_printed_whatever_user_code_and_librdkafka_say(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text(SECRET + "\n")
    text = START + (
        'group = "file:secret"\n[kafka.client]\nsasl.password = "file:secret"\n'
        f'isolation.level = "{SECRET}"\nssl.key.password = "{SECRET}"\n'
    )
    handler = f"raise RuntimeError('{SECRET}')\n"
    for arguments in ((), ("--json",)):
        result = check(tmp_path, text, *arguments, handler=handler)
        assert result.exit_code == Exit.CONFIG
        assert "RuntimeError" in result.output
        assert "isolation.level" in result.output
        assert SECRET not in result.output


def test_nothing_commands_the_terminal(tmp_path: Path) -> None:
    folder = tmp_path / "\x1b[2J"
    folder.mkdir()
    result = check(folder, START, handler="raise RuntimeError('\\x1b[2J')")
    assert "\x1b[2J" not in result.output
    shutil.rmtree(folder)


def test_a_user_who_does_not_exist_is_a_problem(tmp_path: Path) -> None:
    result = check(tmp_path, START.replace("[kafka]", 'user = "nobody-here"\n[kafka]'))
    assert result.exit_code == Exit.CONFIG
    assert "problem: app.user: there is no such user on this machine, got 'nobody-here'" in result.stderr


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_what_that_user_cannot_read_is_told(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    told = check(tmp_path, START.replace("[kafka]", 'user = "nobody"\n[kafka]')).stderr
    # As whom Python cannot even run is a problem; who merely cannot read the file gets no reload.
    assert "problem: app.user: nobody cannot read " in told or "warning: app.user: a reload will be refused" in told


@pytest.mark.skipif(os.geteuid() != 0, reason="for anybody else it would be somebody else")
def test_root_as_itself_has_nothing_to_tell(tmp_path: Path) -> None:
    result = check(tmp_path, START.replace("[kafka]", 'user = "root"\n[kafka]'))
    assert result.exit_code == Exit.DONE
    assert "app.user" not in result.stderr


@pytest.mark.parametrize(("pidfile", "problem"), [("none/pid", "has no folder"), ("orders.py", "holds no pid")])
def test_where_no_pidfile_can_be_is_a_problem(tmp_path: Path, pidfile: str, problem: str) -> None:
    result = check(tmp_path, START.replace("[kafka]", f'pidfile = "{pidfile}"\n[kafka]'))
    assert result.exit_code == Exit.CONFIG
    assert f"problem: app.pidfile: {tmp_path / pidfile} " in result.stderr
    assert problem in result.stderr
