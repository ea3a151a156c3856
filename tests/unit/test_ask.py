"""Asking in a child process: whatever it does, there is an answer or an error, in time, and nothing is left of it."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from kherd.supervisor.probe.ask import ProbeError, ask
from kherd.worker import clock

HERE = "tests.unit.test_ask"


def echo(value: Any) -> Any:
    sys.stdout.write("printed by the child\n")
    return value


def hang(_: Any) -> None:
    signal.pause()


def crash(number: int) -> None:
    os.kill(os.getpid(), number)


def leave(code: int) -> None:
    os._exit(code)


def fail(_: Any) -> None:
    raise SystemExit(3)


def spawn(path: str) -> str:
    """Start a process that holds every descriptor open and outlives us, unless it is killed."""
    child = subprocess.Popen([sys.executable, "-c", "import signal; signal.pause()"], close_fds=False)
    Path(path).write_text(str(child.pid))
    return "answered"


@pytest.fixture(autouse=True)
def _importable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, HERE, sys.modules[__name__])


def open_fds() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def test_the_answer_comes_back_and_what_is_printed_does_not_mix_with_ours(capfd: pytest.CaptureFixture[str]) -> None:
    before = open_fds()
    big = ["x" * 1000] * 1000
    assert ask(f"{HERE}:echo", big, 10) == big
    assert open_fds() == before
    seen = capfd.readouterr()
    assert (seen.out, seen.err) == ("", "printed by the child\n")


@pytest.mark.parametrize(
    ("function", "argument", "words"),
    [
        ("hang", 0, "did not end within 0.2 s"),
        ("crash", signal.SIGKILL, "died of SIGKILL"),
        ("leave", 7, "left with 7"),
        ("fail", 0, "left with 1"),
    ],
)
def test_a_child_that_does_not_answer_is_an_error(function: str, argument: int, words: str) -> None:
    seconds = 0.2 if function == "hang" else 10
    with pytest.raises(ProbeError, match=words):
        ask(f"{HERE}:{function}", argument, seconds)
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)


def test_what_the_child_has_started_neither_delays_the_answer_nor_outlives_it(tmp_path: Path) -> None:
    assert ask(f"{HERE}:spawn", str(tmp_path / "pid"), 30) == "answered"
    pid = (tmp_path / "pid").read_text()
    deadline = clock.monotonic() + 10
    while _runs(pid) and clock.monotonic() < deadline:
        clock.sleep(0.01)
    assert not _runs(pid)


def _runs(pid: str) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False
