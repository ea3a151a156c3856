"""The commands that ask a running herd, against a daemon that has nothing behind it but its socket."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result
from rich.console import Console, RenderableType

from kherd.supervisor.cli import lag, pause, reload, restart, resume, rollout, scale, status, stop
from kherd.supervisor.cli.words import count, duration, percent, plain, rate
from kherd.supervisor.control.protocol import Answer, Request, done, refused

from ..fakes.daemon import FakeDaemon
from ..fakes.status import breaker, slot
from ..fakes.status import status as document

CONFIG = """
[app]
name = "orders"
handler = "orders:handle"
[kafka]
bootstrap = "embedded"
topics = ["orders"]
[control]
socket = "{socket}"
"""


@contextmanager
def herd(folder: Path, **replies: Any) -> Iterator[tuple[FakeDaemon, Path]]:
    """A fake daemon, and the configuration file that leads to it."""
    config = folder / "kherd.toml"
    config.write_text(CONFIG.format(socket=folder / "s"))
    with FakeDaemon.at(folder / "s", replies) as daemon:
        yield daemon, config


def ask(command: click.Command, *arguments: object) -> Result:
    return CliRunner().invoke(command, list(map(str, arguments)))


def seen(renderable: RenderableType) -> str:
    """What a person sees, every run of blanks made one."""
    console = Console(width=200, markup=False, highlight=False)
    with console.capture() as capture:
        console.print(renderable)
    return "\n".join(" ".join(line.split()) for line in capture.get().splitlines())


def test_status_shows_the_herd(tmp_path: Path) -> None:
    with herd(tmp_path, status=done(document())) as (_, config):
        result = ask(status.command, "-c", config)
    assert result.exit_code == 0
    assert "1 of 2 ready" in result.output


def test_status_as_json_is_the_document_on_one_line(tmp_path: Path) -> None:
    with herd(tmp_path, status=done(document())) as (_, config):
        result = ask(status.command, "-c", config, "--json")
    assert json.loads(result.output) == document()
    assert result.output.count("\n") == 1


def test_status_says_what_a_person_looks_for() -> None:
    shown = seen(status.render(document(problems=["worker 1 is held down: no module named orders"])))
    for words in (
        "orders running for 2 h 13 min pid 4242 generation 2",
        "workers 1 of 2 ready lag 1,234 dead letters 3",
        "handled 12.5/s errors 1.00 % restarts 3 (deaths: signal:KILL 3)",
        "0 ready 1 h 0 min 4300 1 h 0 min ≤ 50 MiB 2 handling 1,000 10 3 0 orders[0-2,5] SIGKILL from outside at",
        "1 backoff 1 h 0 min - - - 2 -",
        "0 orders[5]@7-9 2 1.2 s",
        "mold ready (11) liaison ready (12)",
        "worker 1 is held down: no module named orders",
    ):
        assert words in shown


def test_status_shows_an_alert_in_red() -> None:
    text = "alert lag since 2026-01-02T03:04:05.678Z: lag 1,200,000 records, raised above 1,000,000 records"
    rendered = status.render(document(problems=[text, "no broker answers"]))
    console = Console(width=200, markup=False, highlight=False, color_system="standard", force_terminal=True)
    with console.capture() as capture:
        console.print(rendered)
    assert f"\x1b[1;31m  {text}\x1b[0m" in capture.get()
    assert "\n  no broker answers" in capture.get()


def test_status_shows_breakers_that_are_or_were_not_closed() -> None:
    rows = [
        breaker("db", state="half_open", trips=2, open_for=75.0, open_seconds=3725.0),
        breaker("cache", trips=1, open_seconds=5.0),
        breaker("never"),
    ]
    shown = seen(status.render(document(breakers=rows)))
    assert "db half open 1 min 15 s 2 1 h 2 min" in shown
    assert "cache closed - 1 5.0 s" in shown
    assert "never" not in shown
    assert "circuit breaker" not in seen(status.render(document()))


def test_status_calls_the_unknown_unknown() -> None:
    lag_document = {
        "valid": False,
        "reason": "no broker answers",
        "at": None,
        "total": None,
        "topics": {},
        "partitions": [],
    }
    shown = seen(status.render(document(lag=lag_document, dead_letters=None)))
    assert "lag unknown (no broker answers) dead letters unknown" in shown


def test_status_names_instance_pin_and_a_refused_reload() -> None:
    workers = document()["workers"] | {"pinned": True}
    config = {"path": "k", "reloads": 1, "last_reload": {"at": "now", "ok": False, "message": "kafka.topics: is empty"}}
    shown = seen(status.render(document(workers=workers, instance="host1", config=config)))
    assert "orders@host1" in shown
    assert "(pinned)" in shown
    assert "the last reload (now) was refused: kafka.topics: is empty" in shown


@pytest.mark.parametrize(("state", "says"), [("settling", "rolling to generation 2: worker 0 is ready"), ("done", "")])
def test_status_says_how_far_a_roll_is(state: str, says: str) -> None:
    shown = seen(status.render(_roll(state)))
    assert says in shown
    assert bool(says) == ("rolling" in shown)


PINNED = {"pinned": True, "autoscale": False}
AUTOSCALE = {"min": 2, "max": 9, "wanted": 9, "dry_run": False, "decisions": []}
LAST = {"at": "now", "reason": "the lag is above 7"}


@pytest.mark.parametrize(
    ("scale", "pinned", "says"),
    [
        (AUTOSCALE, False, "autoscaling on: 2 to 9\n"),
        (AUTOSCALE | {"decisions": [LAST]}, False, "on: 2 to 9 wants 9 since now: the lag is above 7"),
        (AUTOSCALE | {"decisions": [LAST], "dry_run": True}, False, "autoscaling dry run: 2 to 9 wants 9"),
        (AUTOSCALE | {"decisions": [LAST]}, True, "autoscaling pinned by an operator: 2 to 9\n"),
    ],
)
def test_status_says_what_autoscaling_wants_and_why(scale: dict[str, Any], pinned: bool, says: str) -> None:
    workers = document()["workers"] | {"pinned": pinned}
    shown = seen(status.render(document(autoscale=scale, workers=workers)))
    assert says in "\n".join(line.rstrip() for line in shown.splitlines()) + "\n"


def test_names_cannot_command_the_terminal() -> None:
    evil = slot(0, partitions=[{"topic": "\x1b[2J[bold]x[/bold]", "partition": 0, "done": 0, "committed": 0}])
    shown = seen(status.render(document(slots=[evil], problems=["\x1b]0;title\x07"])))
    assert "\x1b" not in shown
    assert "[bold]x[/bold][0]" in shown


@pytest.mark.parametrize(
    ("word", "asked", "answer", "says"),
    [
        ("4", {"to": 4, "by": None, "auto": False}, {"before": 2, "after": 4, **PINNED}, "workers: 2 -> 4"),
        ("+2", {"to": None, "by": 2, "auto": False}, {"before": 2, "after": 4, **PINNED}, "workers: 2 -> 4"),
        ("-1", {"to": None, "by": -1, "auto": False}, {"before": 2, "after": 1, **PINNED}, "workers: 2 -> 1"),
        (
            "auto",
            {"to": None, "by": None, "auto": True},
            {"before": 4, "after": 2, "pinned": False, "autoscale": False},
            "workers: 4 -> 2 (as configured)",
        ),
        (
            "auto",
            {"to": None, "by": None, "auto": True},
            {"before": 4, "after": 4, "pinned": False, "autoscale": True},
            "workers: 4 -> 4 (follows the lag)",
        ),
    ],
)
def test_scale_takes_a_number_a_step_or_auto(tmp_path: Path, word: str, asked: Any, answer: Any, says: str) -> None:
    with herd(tmp_path, scale=done(answer)) as (daemon, config):
        result = ask(scale.command, word, "-c", config)
    assert result.exit_code == 0
    assert result.output.strip() == says
    assert dict(daemon.requests[0].args) == asked


@pytest.mark.parametrize("word", ["", "x", "1.5", "+", "-0", "--apps", "99999", "0x1", "١"])  # noqa: RUF001 - a digit, but not ours
def test_scale_to_what_is_no_number_is_a_usage_error(word: str) -> None:
    result = ask(scale.command, word)
    assert result.exit_code == 2
    assert "is not N, +N, -N or auto" in result.output


PAUSED = [
    {"topic": "orders", "partition": 3, "since": "2026-01-02T03:04:05.678Z"},
    {"topic": "payments", "partition": None, "since": "2026-01-02T03:04:06.000Z"},
]
PAUSED_LINES = "paused: orders[3] since 2026-01-02T03:04:05.678Z\npaused: payments since 2026-01-02T03:04:06.000Z\n"


@pytest.mark.parametrize(
    ("words", "asked"),
    [
        ((), {"topic": None, "partition": None}),
        (("payments",), {"topic": "payments", "partition": None}),
        (("orders:3",), {"topic": "orders", "partition": 3}),
    ],
)
def test_pause_and_resume_take_everything_a_topic_or_a_partition(tmp_path: Path, words: Any, asked: Any) -> None:
    replies = {
        "pause": done({"changed": True, "paused": PAUSED}),
        "resume": done({"changed": False, "paused": []}),
    }
    with herd(tmp_path, **replies) as (daemon, config):
        paused, resumed = ask(pause.command, *words, "-c", config), ask(resume.command, *words, "-c", config)
    assert (paused.exit_code, paused.output) == (0, PAUSED_LINES)
    assert (resumed.exit_code, resumed.output) == (0, "it was not paused\nnothing is paused\n")
    assert [(one.command, dict(one.args)) for one in daemon.requests] == [("pause", asked), ("resume", asked)]


@pytest.mark.parametrize(
    "word", ["", ":", ":1", "orders:", "orders:-1", "orders:x", "orders:9999999999", "a b", "a:1:2"]
)
@pytest.mark.parametrize("command", [pause.command, resume.command])
def test_what_is_no_place_is_a_usage_error(command: click.Command, word: str) -> None:
    result = ask(command, word)
    assert result.exit_code == 2
    assert "is not TOPIC or TOPIC:P" in result.output


def test_what_cannot_be_paused_is_told_in_the_words_of_the_herd(tmp_path: Path) -> None:
    with herd(tmp_path, pause=refused("no topic order is consumed here: did you mean orders?")) as (_, config):
        result = ask(pause.command, "order", "-c", config)
    assert (result.exit_code, result.output) == (1, "Error: no topic order is consumed here: did you mean orders?\n")


def test_reload_prints_what_changed(tmp_path: Path) -> None:
    with herd(
        tmp_path, reload=done({"changes": ["workers.count: 2 -> 4", "x"], "generation": 1, "rolling": False})
    ) as (_, config):
        result = ask(reload.command, "-c", config)
    assert (result.exit_code, result.output) == (0, "workers.count: 2 -> 4\nx\n")


def test_reload_of_the_same_says_so(tmp_path: Path) -> None:
    with herd(tmp_path, reload=done({"changes": [], "generation": 1, "rolling": False})) as (_, config):
        assert ask(reload.command, "-c", config).output == "nothing has changed\n"


def test_reload_prints_the_problems_and_fails(tmp_path: Path) -> None:
    with herd(tmp_path, reload=refused("not reloaded:\n  kafka.topics: is empty")) as (_, config):
        result = ask(reload.command, "-c", config)
    assert result.exit_code == 1
    assert "kafka.topics: is empty" in result.output


def _roll(state: str, **changes: Any) -> dict[str, Any]:
    """A status document whose newest roll, to generation 2, is in `state`."""
    roll = {"generation": 2, "back_to": 1, "state": state, "canary": 0, "moved": 1, "slots": 3}
    return document(rolls=[{**roll, "reason": None, "stuck": None, **changes}])


def _shows(*documents: dict[str, Any]) -> Callable[[Request], Answer]:
    """Answer `status` with one document after another, then with the last again and again."""
    left = list(documents)
    return lambda _: done(left.pop(0) if len(left) > 1 else left[0])


@pytest.fixture
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rollout, "GLANCE", 0.01)


ROLLING = done({"changes": ["workers.batch_size: 1 -> 2"], "generation": 2, "rolling": True})


@pytest.mark.usefixtures("soon")
@pytest.mark.parametrize("command", [reload.command, restart.command])
def test_a_roll_is_followed_to_its_end(tmp_path: Path, command: click.Command) -> None:
    states = [_roll("molding"), _roll("molding"), _roll("settling"), _roll("rolling"), _roll("rolling", moved=2)]
    with herd(tmp_path, reload=ROLLING, restart=ROLLING, status=_shows(*states, _roll("done"))) as (_, config):
        result = ask(command, "-c", config)
    assert result.exit_code == 0
    assert result.output.splitlines()[-5:] == [
        "generation 2: the handler is being loaded",
        "generation 2: worker 0 is ready and has to stay so",
        "generation 2: accepted; 1 of 3 workers run it",
        "generation 2: accepted; 2 of 3 workers run it",
        "generation 2: all workers run it",
    ]


@pytest.mark.usefixtures("soon")
@pytest.mark.parametrize(
    ("end", "says"),
    [
        (
            _roll("rolled_back", reason="no module named x"),
            "Error: no module named x\nrolled back: the workers run",
        ),
        (_roll("abandoned", reason="the herd is stopping"), "was abandoned: the herd is stopping"),
        (_roll("rolling", stuck="worker 1 is held down: x"), "waits: worker 1 is held down: x; mend it, then reload"),
        (document(rolls=[]), "does not know how the roll to generation 2 ended"),
        ({**_roll("canary"), "life": "other"}, "the herd was started again"),
        (_roll("canary"), "not done within 0.3 s (generation 2: worker 0 tries it); the herd goes on with it"),
    ],
)
def test_a_roll_that_does_not_end_well_ends_the_command_with_1(tmp_path: Path, end: Any, says: str) -> None:
    with herd(tmp_path, restart=ROLLING, status=_shows(_roll("canary"), end)) as (_, config):
        result = ask(restart.command, "-c", config, "--timeout", 0.3)
    assert result.exit_code == 1
    assert says in result.output


def test_nobody_has_to_wait(tmp_path: Path) -> None:
    with herd(tmp_path, reload=ROLLING, restart=ROLLING) as (daemon, config):
        assert ask(reload.command, "-c", config, "--no-wait").output == "workers.batch_size: 1 -> 2\n"
        assert ask(restart.command, "-c", config, "--no-wait").output == "generation 2: begun\n"
    assert [request.command for request in daemon.requests] == ["reload", "restart"]


def test_a_restart_that_is_refused_says_why(tmp_path: Path) -> None:
    with herd(tmp_path, restart=refused("the herd is stopping")) as (_, config):
        result = ask(restart.command, "-c", config)
    assert (result.exit_code, result.output) == (1, "Error: the herd is stopping\n")


def test_lag_shows_every_partition_and_the_totals(tmp_path: Path) -> None:
    with herd(tmp_path, lag=done(document()["lag"])) as (_, config):
        result = ask(lag.command, "-c", config)
    lines = [" ".join(line.split()) for line in result.output.splitlines()]
    assert result.exit_code == 0
    assert lines[0] == "lag 1,234 measured 2026-01-02T03:04:05.678Z"
    assert "orders 2 1,200" in lines
    assert "orders 0 100 0 1300 1,200" in lines
    assert "pay.ments 0 none 0 34 34" in lines


def test_lag_that_is_unknown_is_never_zero() -> None:
    partition = {"topic": "orders", "partition": 0, "committed": None, "end": None, "log_start": None, "lag": None}
    topics = {"orders": {"lag": None, "partitions": 1}}
    unknown = document()["lag"] | {"valid": False, "reason": "timed out", "at": None, "total": None}
    unknown |= {"topics": topics, "partitions": [partition]}
    shown = seen(lag.render(unknown))
    assert "lag unknown timed out" in shown
    assert "orders 0 none unknown unknown unknown" in shown
    assert "0 0" not in shown


def test_the_worst_partitions_come_first_and_the_unknown_before_them() -> None:
    rows = [
        {"topic": "t", "partition": number, "committed": 0, "end": 9, "log_start": 0, "lag": behind}
        for number, behind in enumerate([1, None, 5, 3])
    ]
    shown = seen(lag.render(document()["lag"] | {"topics": {}, "partitions": rows}, worst=3))
    assert [line.split()[1] for line in shown.splitlines() if line.startswith("t ")] == ["1", "2", "3"]


def test_lag_as_json_is_the_document(tmp_path: Path) -> None:
    with herd(tmp_path, lag=done(document()["lag"])) as (_, config):
        assert json.loads(ask(lag.command, "--json", "-c", config).output) == document()["lag"]


def test_watching_looks_again_until_it_is_interrupted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    looks = []

    def sleep(seconds: float) -> None:
        looks.append(seconds)
        if len(looks) == 3:
            raise KeyboardInterrupt

    monkeypatch.setattr("kherd.worker.clock.sleep", sleep)
    with herd(tmp_path, lag=done(document()["lag"])) as (daemon, config):
        result = ask(lag.command, "--watch", "--json", "-c", config)
        assert result.exit_code == 0
        assert len(result.output.splitlines()) == 3
        looks.clear()
        assert ask(lag.command, "--watch", "-c", config).exit_code == 0
        assert len(daemon.requests) == 6


DAEMON = """
import os, signal, sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from kherd.supervisor.control.protocol import done
from kherd.supervisor.control.server import ControlServer
from kherd.supervisor.poller import Poller
poller, asked = Poller(), []
def dispatch(request):
    asked.append(dict(request.args))
    return done({"pid": os.getpid(), "seconds": 0.0})
server = ControlServer(Path(sys.argv[2]), dispatch, poller)
print("listening", flush=True)
while not asked:
    poller.wait(None)
poller.wait(0)
if sys.argv[3] == "stay":
    sys.stdin.read()
server.close()
print(asked, flush=True)
"""


@contextmanager
def daemon_process(folder: Path, mode: str) -> Iterator[tuple[subprocess.Popen[str], Path]]:
    config = folder / "kherd.toml"
    config.write_text(CONFIG.format(socket=folder / "s"))
    command = [sys.executable, "-c", DAEMON, os.fspath(Path(__file__).parents[2]), str(folder / "s"), mode]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "listening\n"
        try:
            yield process, config
        finally:
            process.kill()


def test_stop_waits_until_the_daemon_is_gone(tmp_path: Path) -> None:
    with daemon_process(tmp_path, "go") as (process, config):
        result = ask(stop.command, "--leave", "-c", config)
        assert (result.exit_code, result.output) == (0, "stopped\n")
        assert process.stdout is not None
        assert process.stdout.readline() == "[{'now': False, 'leave': True}]\n"
        assert process.wait(0) == 0


def test_stop_fails_when_the_daemon_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stop, "MARGIN", 0.05)
    with daemon_process(tmp_path, "stay") as (process, config):
        result = ask(stop.command, "-c", config)
        assert result.exit_code == 1
        assert f"pid {process.pid} still runs" in result.output


@pytest.mark.parametrize("command", [status.command, reload.command, restart.command, stop.command, lag.command])
def test_no_herd_is_told_with_the_place_and_exit_code_1(tmp_path: Path, command: click.Command) -> None:
    config = tmp_path / "kherd.toml"
    config.write_text(CONFIG.format(socket=tmp_path / "s"))
    result = ask(command, "-c", config)
    assert result.exit_code == 1
    assert f"no herd of {config} is running" in result.output
    assert str(tmp_path / "s") in result.output


def test_a_herd_is_chosen_one_way() -> None:
    assert ask(status.command, "-c", "x", "--app", "y").exit_code == 2
    result = ask(status.command, "-c", "no-such-file.toml")
    assert result.exit_code == 1
    assert "there is no no-such-file.toml" in result.output


def test_a_herd_is_found_although_its_file_is_broken_by_now(tmp_path: Path) -> None:
    with herd(tmp_path, status=done(document())) as (_, config):
        config.write_text(config.read_text() + "[workers]\ncuont = 1\n")
        assert ask(status.command, "-c", config).exit_code == 0
        config.write_text("not toml")
        result = ask(status.command, "-c", config)
    assert result.exit_code == 1
    assert "--app NAME" in result.output


def test_what_the_supervisor_leaves_unanswered_is_told(tmp_path: Path) -> None:
    def never(_: Request) -> Answer | None:
        return None

    with herd(tmp_path, reload=never) as (_, config):
        result = ask(reload.command, "--timeout", "0.05", "-c", config)
    assert result.exit_code == 1
    assert "no answer to 'reload' within 0.05 s" in result.output


def test_lag_of_a_herd_that_does_not_answer_says_how_to_ask_the_brokers(tmp_path: Path) -> None:
    with herd(tmp_path) as (_, config):
        result = ask(lag.command, "-c", config)
    assert result.exit_code == 1
    assert "to ask the brokers instead, add --group NAME" in result.output


def test_numbers_in_words() -> None:
    assert [duration(seconds) for seconds in (0.04, 9.94, 42, 60, 3599, 7991.5, 90000, None)] == [
        "0.0 s", "9.9 s", "42 s", "1 min 0 s", "59 min 59 s", "2 h 13 min", "1 d 1 h", "unknown",
    ]  # fmt: skip
    assert (count(None), count(0), count(1234)) == ("unknown", "0", "1,234")
    assert (rate(None), rate(1.26), percent(None), percent(0.0123)) == ("unknown", "1.3/s", "unknown", "1.23 %")
    assert plain("a\x1bb\n").plain == "a�b�"
