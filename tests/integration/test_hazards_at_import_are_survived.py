"""What importing the handler's module may do to whoever imports it: survived, and named in the log."""

import socket
from pathlib import Path
from typing import Any

import pytest

from ..fakes.herd import standin
from ..fakes.processes import children_of

HANDLE = "\ndef handle(message): ...\n"
NOT_PRELOADED = {
    "thread": (
        "import threading as t, time\nt.Thread(target=time.sleep, args=[99], name='ticker', daemon=1).start()",
        "1 thread(s): ticker (time.sleep)",
    ),
    "Kafka client": (
        "from confluent_kafka import Producer\nkept = Producer({'bootstrap.servers': '127.0.0.1:1', 'log_level': 0})",
        "thread(s): a Kafka client's ",
    ),
    "listening socket": (
        "import socket\nkept = socket.create_server(('127.0.0.1', 0))",
        "1 socket(s): inet at 127.0.0.1:",
    ),
    "connected socket": (
        "import os, socket\nkept = socket.create_connection(('127.0.0.1', int(os.environ['PEER'])))",
        "1 socket(s): inet to 127.0.0.1:PEER",
    ),
    "unix socket": ("import socket\nkept = socket.socketpair()", "2 socket(s): unix to nobody, unix to nobody"),
    "child": ("import subprocess\nkept = subprocess.Popen(['sleep', '3600'])", "left a process running: pid "),
    "forked copy that goes on": ("import os\nos.fork()", "left a process running"),
    "forked copy that leaves": ("import os, sys\nif os.fork() == 0:\n    sys.exit()", "left a process running"),
}  # fmt: skip
HELD = {
    "sys.exit": ("import sys\nsys.exit(3)", "SystemExit: 3"),
    "syntax": ("def handle(:", "SyntaxError"),
    "missing module": ("import no_such_module_of_theirs", "no_such_module_of_theirs"),
}


@pytest.mark.parametrize("hazard", NOT_PRELOADED)
def test_what_does_not_survive_a_fork_is_not_preloaded_and_named(tmp_path: Path, hazard: str) -> None:
    code, named = NOT_PRELOADED[hazard]
    with socket.create_server(("127.0.0.1", 0)) as peer:
        port = str(peer.getsockname()[1])
        _is_not_preloaded(tmp_path, code, named.replace("PEER", port), {"PEER": port})


def _is_not_preloaded(tmp_path: Path, code: str, named: str, environment: dict[str, str]) -> None:
    with standin(tmp_path, code + HANDLE, environment, workers={"count": 2}) as herd:
        herd.ready(2)
        (refused,) = herd.events("preload_refused")
        assert named in refused["reason"]
        assert len(set(herd.pids())) == 2
        herd.until(lambda: herd["services.mold.state"] == "ready" and children_of(herd["services.mold.pid"]) == [])
        assert herd.events("internal_error") == []
        assert herd.stop() == 0


@pytest.mark.parametrize("hazard", HELD)
def test_what_no_restart_can_mend_ends_the_start_and_is_named(tmp_path: Path, hazard: str) -> None:
    code, named = HELD[hazard]
    settings: dict[str, Any] = {"workers": {"count": 2}, "restart": {"backoff_max": 0.1}}
    with standin(tmp_path, code + (HANDLE if hazard != "syntax" else ""), **settings) as herd:
        if hazard == "sys.exit":  # it might have been bad luck: it is tried again
            herd.until(lambda: len(herd.events("child_backoff")) > 4, what="backoffs")
            assert all(named in line["reason"] for line in herd.events("child_backoff"))
            assert any(named in problem for problem in herd["problems"])
            assert herd.stop() == 0
        else:
            assert herd.end() == 78
            assert any(named in line["reason"] for line in herd.events("child_held"))
            assert named in herd.events("gave_up")[0]["reason"]


def test_an_import_that_does_not_end_is_ended_and_named(tmp_path: Path) -> None:
    code = "import time\nwhile True:\n    time.sleep(1)\n"
    with standin(tmp_path, code, workers={"count": 1, "start_timeout": 1}, restart={"backoff_max": 0.1}) as herd:
        herd.until(lambda: herd.events("preload_refused"), what="the mold gives the import up")
        assert "did not end in time" in herd.events("preload_refused")[0]["reason"]
        herd.until(lambda: herd.events("child_stacks", child="worker 0"), what="the worker's stacks")
        assert "orders.py" in herd.events("child_stacks")[0]["stacks"]
        assert "in _be_between" not in herd.events("child_stacks")[0]["stacks"]
        herd.until(lambda: herd.events("child_killed", child="worker 0"), what="its end")
        (killed, *_) = herd.events("child_killed", child="worker 0")
        assert killed["reason"] == "it did not boot in time"
        herd.until(lambda: herd["slots"][0]["last_death"], what="its death in the status")
        assert herd.stop() == 0


@pytest.mark.parametrize(
    "code",
    [
        "import signal\nsignal.pthread_sigmask(signal.SIG_SETMASK, signal.valid_signals())",
        "import signal\nsignal.signal(signal.SIGTERM, lambda *_: None)",
        "import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)",
    ],
    ids=["blocks all signals", "handles TERM", "ignores TERM"],
)
def test_a_module_that_takes_term_for_itself_is_stopped_in_order_all_the_same(tmp_path: Path, code: str) -> None:
    with standin(tmp_path, code + HANDLE, workers={"count": 2}) as herd:
        herd.ready(2)
        assert herd.stop() == 0
        assert herd.events("child_killed") == []
