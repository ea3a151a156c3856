"""One attempt is one process group: what it was given, how it ended, and that nothing of it is left."""

import resource
import select
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from kherd.supervisor.children.exporter.attempt import LONGEST, Attempt, End
from kherd.testing.wait import until

from ..fakes.processes import alive

FAR = 1e12


def outcome(*command: str, given: bytes = b"") -> End:
    attempt = Attempt(command, given, FAR)

    def look() -> End | None:
        select.select(attempt.files(), [], [], 1.0)
        return attempt.look(0.0)

    return until(look, 30, "the end of an attempt")


def shell(script: str, given: bytes = b"") -> End:
    return outcome("sh", "-c", script, given=given)


def test_the_document_is_its_standard_input_whatever_its_size(tmp_path: Path) -> None:
    given = b'{"alert": "lag"}\n' * 50_000
    assert shell(f"cat > {tmp_path}/got", given) == End(0, "")
    assert (tmp_path / "got").read_bytes() == given


def test_one_that_does_not_read_its_standard_input_is_not_disturbed() -> None:
    assert shell("exit 0", b"x" * 10**6) == End(0, "")


def test_its_arguments_are_passed_as_they_are_without_a_shell() -> None:
    assert outcome("echo", "$HOME", "a b", ";") == End(0, "$HOME a b ;")


def test_its_exit_code_and_its_last_line_are_told() -> None:
    assert shell("echo first; echo last >&2; echo; exit 3") == End(3, "last")
    assert shell("kill -SEGV $$") == End(-signal.SIGSEGV, "")


def test_a_program_that_cannot_be_run_is_told_as_a_shell_would() -> None:
    assert outcome("no-such-program") == End(127, "no-such-program: No such file or directory")
    assert outcome("/etc/passwd") == End(126, "/etc/passwd: Permission denied")


def test_of_endless_output_the_end_is_kept() -> None:
    end = shell("head -c 3000000 /dev/zero | tr '\\0' x; echo; echo last")
    assert end == End(0, "last")
    assert len(shell("head -c 3000000 /dev/zero | tr '\\0' x; exit 1").said) == LONGEST


def test_one_that_ends_with_its_output_held_open_by_another_has_ended(tmp_path: Path) -> None:
    assert shell(f"sleep 1000 & echo $! > {tmp_path}/pid; echo done") == End(0, "done")
    child = int((tmp_path / "pid").read_text())
    until(lambda: not alive(child), 10, "the end of the one that was left behind")


def test_at_its_deadline_its_whole_group_is_killed(tmp_path: Path) -> None:
    attempt = Attempt(("sh", "-c", f"sleep 1000 & echo $! > {tmp_path}/pid; echo here; wait"), b"", 10.0)
    until(lambda: attempt.look(9.0) is None and b"here" in attempt._output, 30, "its last line")
    assert attempt.due() == 10.0
    assert attempt.look(10.0) == End(None, "here")
    until(lambda: not alive(int((tmp_path / "pid").read_text())), 10, "the end of its child")


def test_signals_are_those_of_any_program() -> None:
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        end = outcome(sys.executable, "-c", "import os; print(open(f'/proc/{os.getpid()}/status').read())")
        ignored = outcome("sh", "-c", "grep SigIgn /proc/self/status")
    finally:
        signal.signal(signal.SIGINT, before)
    assert end.code == 0
    (_, mask) = ignored.said.split()
    # 32 and 33 are the C library's own: no program can reset them, they stay as whoever runs the tests has them.
    assert [number for number in signal.valid_signals() if int(mask, 16) >> (number - 1) & 1] == []


def test_the_end_of_whoever_made_it_is_its_end(tmp_path: Path) -> None:
    new = tmp_path / "new"
    script = (
        "import sys, os\n"
        "from kherd.supervisor.children.exporter.attempt import Attempt\n"
        f"Attempt(('sh', '-c', 'echo $$ > {new}; mv {new} {tmp_path}/pid; exec sleep 1000'), b'', 1e12)\n"
        "sys.stdin.read()\n"
        "os._exit(0)\n"
    )
    with subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE) as owner:
        until((tmp_path / "pid").exists, 30, "its start")
        pid = int((tmp_path / "pid").read_text())
        assert alive(pid)
        owner.kill()
    until(lambda: not alive(pid), 10, "its end")


@pytest.mark.parametrize("spare", range(7))
def test_without_descriptors_there_is_an_error_or_an_attempt_and_nothing_is_left(spare: int) -> None:
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)
    before, children = descriptors(), psutil.Process().children()
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(before) + 1 + spare, limit[1]))
    try:
        with suppress(OSError):
            Attempt(("true",), b"", FAR).end()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limit)
    assert descriptors() == before
    assert psutil.Process().children() == children


def descriptors() -> set[int]:
    return {int(entry.name) for entry in Path("/proc/self/fd").iterdir()}
