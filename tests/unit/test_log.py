import errno
import io
import json
import logging
import os
import re
import select
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kherd.worker import events, log, redact
from kherd.worker.outlet import BACKLOG, PIPE_BUF, Descriptor, Outlet, Socket, open_sink
from kherd.worker.spec import LogSpec


class Written(io.StringIO):
    """A stream of memory, read back as lines."""

    def lines(self) -> list[str]:
        return self.getvalue().splitlines()

    def last(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.lines()[-1])
        return found


@pytest.fixture(autouse=True)
def _clean() -> Iterator[None]:
    yield
    logging.getLogger(log.NAME).handlers.clear()
    log._identity = log.Identity()
    redact._secrets.clear()


@pytest.fixture
def written() -> Written:
    stream = Written()
    log.configure(LogSpec(), log.Identity("orders", "worker", 3, 7), stream=stream)
    return stream


@pytest.fixture
def text() -> Written:
    stream = Written()
    log.configure(LogSpec(format="text"), log.Identity("orders", "worker", 3, 7), stream=stream)
    return stream


def raised(message: str) -> ValueError:
    """An error that has been raised, so that it has a traceback."""
    try:
        int(message)
    except ValueError as error:
        error.args = (message,)
        return error
    raise AssertionError(message)


def test_a_line_has_one_identity_and_the_events_fields(written: Written) -> None:
    log.emit(events.SCALED, before=2, after=4, reason="SIGTTIN")
    line = written.last()
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", line.pop("time"))
    assert line == {
        "level": "info", "event": "scaled", "message": "workers: 2 -> 4 (SIGTTIN)", "app": "orders", "role": "worker",
        "pid": os.getpid(), "slot": 3, "generation": 7, "before": 2, "after": 4, "reason": "SIGTTIN",
    }  # fmt: skip


def test_a_field_never_takes_the_identitys_place(written: Written) -> None:
    log.emit(events.ROLL_STARTED, count=1, generation=99, pid=1, time="never")
    line = written.last()
    assert (line["generation"], line["pid"], line["event"]) == (7, os.getpid(), "roll_started")
    assert line["time"] != "never"


def test_below_the_level_nothing_is_written(written: Written) -> None:
    log.emit(events.WORKER_BOOTED, handler="a:b")
    assert written.lines() == []


def test_an_exception_adds_its_traceback_and_its_text(written: Written) -> None:
    log.emit(events.BATCH_FAILED, error=raised("not JSON"), count=5, attempt=1)
    line = written.last()
    assert line["error"] == "ValueError: not JSON"
    assert "raised ValueError: not JSON" in line["message"]
    assert line["traceback"].endswith("ValueError: not JSON")


def test_an_error_that_is_text_is_a_field_like_others(written: Written) -> None:
    log.emit(events.BATCH_FAILED, error="TypeError: x", count=5, attempt=1)
    assert "raised TypeError: x" in written.last()["message"]
    assert "traceback" not in written.last()


class Hostile:
    def __str__(self) -> str:
        raise KeyboardInterrupt

    def __format__(self, _: str) -> str:
        raise SystemExit


RECURSIVE: list[Any] = []
RECURSIVE.append(RECURSIVE)


@pytest.mark.parametrize(
    "value",
    [
        {1, 2}, b"\xff", object(), Hostile(), RECURSIVE, {(1, 2): Hostile()}, float("nan"), float("inf"), 10**5000,
        "\ud800", ValueError(Hostile()), events.SCALED, "x" * 1_000_000, [[[[[[[[[["deep"]]]]]]]]]], range(10**9), None,
        int, logging.INFO, Path("/x"), "two\nlines", "\x1b[31mred", "{0}{x}%s",
    ],
    ids=lambda value: type(value).__name__,
)  # fmt: skip
@pytest.mark.parametrize("style", ["json", "text"])
def test_any_value_of_a_field_is_a_line(value: object, style: Any) -> None:
    stream = Written()
    log.configure(LogSpec(format=style), log.Identity(), stream=stream)
    log.emit(events.CHILD_READY, child=value, seconds=value, other={"nested": [value]})
    assert len(stream.getvalue()) < 30_000
    if style == "json":
        (line,) = stream.lines()
        json.loads(line, parse_constant=pytest.fail)
    assert "\x1b" not in stream.getvalue()


def test_a_missing_field_and_one_too_many_are_shown_as_they_are(written: Written) -> None:
    log.emit(events.CHILD_READY, child="worker 1")
    assert "{seconds:.3f}" in written.last()["message"]
    assert "worker 1" in written.last()["message"]


SECRET = 'p"ä\\ss w/rd'


@pytest.mark.parametrize("style", ["json", "text"])
def test_a_secret_is_cut_out_wherever_it_is(style: Any) -> None:
    stream = Written()
    log.configure(LogSpec(format=style), log.Identity(), secrets=[SECRET, ""], stream=stream)
    log.emit(
        events.INTERNAL_ERROR,
        error=raised(f"cannot log in with {SECRET!r}, {SECRET.encode()!r} or {SECRET}"),
        reason=f"x{SECRET}x",
        nested={SECRET: [{"a": SECRET, "b": SECRET.encode()}]},
        url="http://u:p%22%C3%A4%5Css%20w%2Frd@h",
        document=json.dumps({"p": SECRET}),
        obj=Path(SECRET),
    )
    found = stream.getvalue()
    assert found.count(redact.REDACTED) >= 9
    for spelled in (SECRET, json.dumps(SECRET)[1:-1], repr(SECRET)[1:-1], json.dumps(json.dumps(SECRET)[1:-1])[1:-1]):
        assert spelled not in found
    assert "w/rd" not in found
    assert "w%2Frd" not in found


def test_each_line_of_a_key_is_a_secret_too(written: Written) -> None:
    pem = "-----BEGIN KEY-----\nMIIEvQIBADANBgkq\nhkiG9w0BAQEFAASC\n-----END KEY-----"
    redact.hide([pem])
    log.emit(events.INTERNAL_ERROR, reason="bad base64 in hkiG9w0BAQEFAASC")
    assert "hkiG" not in written.getvalue()


def test_a_secret_within_another_leaves_no_rest(written: Written) -> None:
    redact.hide(["abc", "abcdef"])
    log.emit(events.INTERNAL_ERROR, reason="abcdef")
    assert "def" not in written.last()["reason"]


def test_a_users_own_logger_writes_lines_of_the_same_shape(written: Written) -> None:
    logging.getLogger("kherd.handler").warning("odd %s", "order", extra={"order": 5, "pid": "x", "what": {1}})
    line = written.last()
    assert line["event"] == "log"
    assert line["message"] == "odd order"
    assert line["logger"] == "kherd.handler"
    assert (line["order"], line["what"], line["pid"]) == (5, [1], os.getpid())


def handler() -> log._Handler:
    """Ours, beside the one by which pytest listens in."""
    (found,) = (one for one in logging.getLogger(log.NAME).handlers if isinstance(one, log._Handler))
    return found


@pytest.mark.parametrize("arguments", [("%d", "x"), ("%s %s", 1)])
def test_a_users_line_that_cannot_be_written_is_told(written: Written, arguments: tuple[str, object]) -> None:
    message, value = arguments
    handler().handle(logging.LogRecord("kherd.handler", logging.INFO, "", 0, message, (value,), None))
    assert written.last()["event"] == "line_broken"
    assert written.last()["logger"] == "kherd.handler"


def test_text_is_one_readable_line(text: Written) -> None:
    log.emit(events.CHILD_READY, child="worker 1", seconds=0.123456, next="what follows")
    (line,) = text.lines()
    assert re.fullmatch(
        r"\d\d:\d\d:\d\d\.\d{3} info    worker 3   worker 1 ready after 0\.123 s  next=what follows", line
    )


def test_text_indents_what_has_more_lines_and_shows_control_characters(text: Written) -> None:
    log.emit(events.INTERNAL_ERROR, error=raised("a\nb\x1b[31m\x9b"), reason="first\nsecond")
    lines = text.lines()
    assert len(lines) > 4
    assert all(line.startswith("    ") for line in lines[1:])
    assert "\x1b" not in text.getvalue()
    assert "\x9b" not in text.getvalue()
    assert "\\x1b[31m\\x9b" in text.getvalue()


def test_a_terminal_gets_colors_unless_told_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(Written):
        def isatty(self) -> bool:
            return True

    monkeypatch.delenv("NO_COLOR", raising=False)
    stream = Terminal()
    log.configure(LogSpec(format="text"), log.Identity(), stream=stream)
    log.emit(events.GAVE_UP, reason="x")
    assert stream.getvalue().startswith("\x1b[")
    monkeypatch.setenv("NO_COLOR", "1")
    stream = Terminal()
    log.configure(LogSpec(format="text"), log.Identity(), stream=stream)
    log.emit(events.GAVE_UP, reason="x")
    assert "\x1b" not in stream.getvalue()


def test_a_closed_stream_is_no_error() -> None:
    stream = Written()
    log.configure(LogSpec(), log.Identity(), stream=stream)
    stream.close()
    log.emit(events.GAVE_UP, reason="x")


class Pipe:
    """A pipe and an outlet into it."""

    def __init__(self, *, reopen: bool = True) -> None:
        self.reader, self.writer = os.pipe()
        self.sink = Descriptor(self.writer)
        if not reopen:
            self.sink.close()
            self.sink._fd = self.writer
        self.outlet = Outlet(self.sink)

    def read(self) -> bytes:
        found = b""
        while select.select([self.reader], [], [], 0)[0] and (chunk := os.read(self.reader, 1 << 16)):
            found += chunk
        return found

    def close(self) -> None:
        self.outlet.close()
        os.close(self.reader)
        os.close(self.writer)


@pytest.fixture(params=[True, False], ids=["opened anew", "not allowed to open it"])
def pipe(request: pytest.FixtureRequest) -> Iterator[Pipe]:
    made = Pipe(reopen=request.param)
    yield made
    made.close()


def test_a_stuck_reader_costs_lines_but_no_wait_and_finds_whole_lines_later(pipe: Pipe) -> None:
    lines = [f"{number} ".ljust(1000, "x").encode() + b"\n" for number in range(2000)]
    for line in lines:
        pipe.outlet.write(line)
    assert pipe.outlet.lost > 0
    assert os.get_blocking(pipe.writer)
    found = b""
    while not pipe.outlet.clear:
        found += pipe.read()
        pipe.outlet.flush()
    found += pipe.read()
    kept = found.splitlines(keepends=True)
    assert kept == lines[: len(kept)]
    assert len(kept) + pipe.outlet.lost == len(lines)
    assert len(found) > BACKLOG


def test_a_line_longer_than_a_pipe_holds_comes_whole_when_it_is_read(pipe: Pipe) -> None:
    line = b"y" * 200_000 + b"\n"
    pipe.outlet.write(line)
    found = b""
    while not found.endswith(b"\n"):
        found += pipe.read()
        pipe.outlet.flush()
    assert found == line


def test_flush_waits_for_room_only_as_long_as_it_is_told(pipe: Pipe) -> None:
    while pipe.outlet.clear:
        pipe.outlet.write(b"z" * PIPE_BUF)
    pipe.outlet.flush(0.01)
    assert not pipe.outlet.clear
    pipe.read()
    pipe.outlet.flush(5)
    assert pipe.outlet.clear


def test_nobody_reading_any_more_is_no_error(pipe: Pipe) -> None:
    os.close(pipe.reader)
    pipe.outlet.write(b"x\n")
    assert pipe.outlet.clear
    pipe.reader = os.open("/dev/null", os.O_RDONLY)


def test_closing_leaves_a_number_alone_that_has_become_somebody_elses() -> None:
    pipe = Pipe()
    own = pipe.sink._own
    assert own is not None
    os.close(own)
    other = os.open("/dev/null", os.O_RDONLY)
    os.dup2(other, own)
    pipe.outlet.close()
    os.fstat(own)
    for fd in {own, other}:
        os.close(fd)
    os.close(pipe.reader)
    os.close(pipe.writer)


def test_a_socket_is_written_to_without_waiting_and_stays_open() -> None:
    left, right = socket.socketpair()
    with left, right:
        outlet = Outlet(Socket(left.fileno()))
        while outlet.clear:
            outlet.write(b"x" * 1000 + b"\n")
        right.setblocking(False)
        found = b""
        while not outlet.clear:
            found += right.recv(1 << 20)
            outlet.flush()
        found += right.recv(1 << 20)
        assert set(found.splitlines()) == {b"x" * 1000}
        assert left.getblocking()


def test_what_standard_error_is_decides_how_it_is_written(tmp_path: Path) -> None:
    assert type(open_sink(None)).__name__ == "Nowhere"
    assert type(open_sink(io.StringIO())).__name__ == "Stream"
    with (tmp_path / "log").open("w") as file:
        assert type(open_sink(file)).__name__ == "File"
    with socket.socket() as sock, sock.makefile("w") as stream:
        assert type(open_sink(stream)).__name__ == "Socket"
    closed = (tmp_path / "log").open("w")
    closed.close()
    assert type(open_sink(closed)).__name__ == "Stream"


def test_lost_lines_are_reported_once_the_reader_is_back(written: Written) -> None:
    handler().outlet.lost = 12
    log.emit(events.GAVE_UP, reason="x")
    assert [json.loads(line)["event"] for line in written.lines()] == ["lines_lost", "gave_up"]
    assert json.loads(written.lines()[0])["count"] == 12


SCRIPT = """
import os
from kherd.worker import events, log
from kherd.worker.spec import LogSpec
log.configure(LogSpec(), log.Identity())
for number in range({count}):
    log.emit(events.GAVE_UP, reason="x" * {size} + str(number))
    log.flush({flush})
os._exit(7)
"""


def run_logging(stderr: Any, count: int = 1, size: int = 10, flush: float = 0.0, **options: Any) -> int:
    script = SCRIPT.format(count=count, size=size, flush=flush)
    return subprocess.run([sys.executable, "-c", script], stderr=stderr, timeout=60, check=False, **options).returncode


def test_a_full_disk_is_no_error() -> None:
    with Path("/dev/full").open("wb") as full:
        assert run_logging(full, count=1000) == 7


def test_a_process_started_without_standard_error_runs() -> None:
    assert run_logging(None, preexec_fn=lambda: os.close(2)) == 7


def test_a_pipe_that_nobody_reads_stops_nobody() -> None:
    reader, writer = os.pipe()
    try:
        assert run_logging(writer, count=2000, size=500) == 7
    finally:
        os.close(reader)
        os.close(writer)


def test_lines_of_several_processes_do_not_mix() -> None:
    script = SCRIPT.format(count=300, size=1000, flush=60)
    reader, writer = os.pipe()
    processes = [subprocess.Popen([sys.executable, "-c", script], stderr=writer) for _ in range(3)]
    os.close(writer)
    with os.fdopen(reader) as stream:
        lines = [json.loads(line) for line in stream]
    assert [process.wait(60) for process in processes] == [7, 7, 7]
    assert len(lines) == 900


def test_errno_is_what_a_closed_stream_raises() -> None:
    stream = io.StringIO()
    sink = open_sink(stream)
    stream.close()
    with pytest.raises(OSError, match="closed") as raised:
        sink.send(b"x")
    assert raised.value.errno == errno.EBADF
