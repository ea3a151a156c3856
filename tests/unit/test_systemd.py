"""The wire to systemd: what the environment says, what is sent, and that a bad other end is only a warning."""

import json
import os
import secrets
import socket
import subprocess
import sys
from collections.abc import Iterator
from io import StringIO
from pathlib import Path

import pytest

from kherd.supervisor.systemd import VARIABLES, WAITING, Systemd
from kherd.worker import log
from kherd.worker.spec import LogSpec

from ..fakes.manager import Manager

US = 4711


@pytest.fixture
def logged() -> Iterator[StringIO]:
    stream = StringIO()
    log.configure(LogSpec("json", "debug"), log.Identity(), stream=stream)
    yield stream
    log.configure(LogSpec(), log.Identity())


def events(stream: StringIO) -> list[dict[str, str]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def of(**variables: str) -> Systemd:
    return Systemd.of(variables, US)


def test_without_a_socket_nothing_is_said_and_nothing_fails() -> None:
    for one in (of(), of(NOTIFY_SOCKET=""), of(WATCHDOG_USEC="1000000")):
        assert not one.listens
        assert one.watchdog is None
        assert one.doubts == ()
        assert not one.tell("READY=1")
        one.flush()
        one.close()


@pytest.mark.parametrize("kind", ["path", "abstract"])
def test_each_message_is_one_datagram_in_order(tmp_path: Path, kind: str) -> None:
    address = str(tmp_path / "notify") if kind == "path" else f"@kherd-test-{secrets.token_hex(8)}"
    with Manager(address) as manager:
        one = of(NOTIFY_SOCKET=address)
        assert one.tell("RELOADING=1", "MONOTONIC_USEC=5")
        assert one.tell("READY=1", "STATUS=4/4 ready, broken \udc80")
        assert manager.heard() == [
            {"RELOADING": "1", "MONOTONIC_USEC": "5"},
            {"READY": "1", "STATUS": "4/4 ready, broken ?"},
        ]
        one.close()


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("vsock:2:1234", "not supported"),
        ("vsock-stream:2:1234", "not supported"),
        ("notify", "absolute"),
        ("@", "absolute"),
        ("/", "absolute"),
        ("/" + "x" * 107, "longer than 107"),
    ],
)
def test_an_address_that_cannot_be_used_is_one_doubt(value: str, reason: str, logged: StringIO) -> None:
    one = of(NOTIFY_SOCKET=value, WATCHDOG_USEC="5000000")
    assert not one.listens
    assert one.watchdog is None
    one.report()
    (event,) = events(logged)
    assert (event["event"], event["variable"]) == ("notify_ignored", "NOTIFY_SOCKET")
    assert reason in event["reason"]


@pytest.mark.parametrize(
    ("variables", "watchdog", "doubted"),
    [
        ({"WATCHDOG_USEC": "5000000"}, 5.0, []),
        ({"WATCHDOG_USEC": "5000000", "WATCHDOG_PID": str(US)}, 5.0, []),
        ({"WATCHDOG_USEC": "5000000", "WATCHDOG_PID": "1"}, None, []),
        ({"WATCHDOG_USEC": "5000000", "WATCHDOG_PID": "me"}, None, ["WATCHDOG_PID"]),
        ({"WATCHDOG_USEC": "abc"}, None, ["WATCHDOG_USEC"]),
        ({"WATCHDOG_USEC": ""}, None, ["WATCHDOG_USEC"]),
        ({"WATCHDOG_USEC": "0"}, None, ["WATCHDOG_USEC"]),
        ({"WATCHDOG_USEC": "-5"}, None, ["WATCHDOG_USEC"]),
        ({"WATCHDOG_USEC": "²"}, None, ["WATCHDOG_USEC"]),
        ({"WATCHDOG_USEC": str(2**64 - 1)}, None, ["WATCHDOG_USEC"]),
        ({"WATCHDOG_USEC": "9" * 5000}, None, ["WATCHDOG_USEC"]),
    ],
)
def test_the_watchdog_is_for_the_process_it_was_meant_for(
    variables: dict[str, str], watchdog: float | None, doubted: list[str], tmp_path: Path
) -> None:
    one = of(NOTIFY_SOCKET=str(tmp_path / "notify"), **variables)
    assert one.watchdog == watchdog
    assert [doubt.variable for doubt in one.doubts] == doubted
    one.close()


def test_what_must_be_heard_is_sent_once_somebody_listens_and_the_failure_is_told_once(
    tmp_path: Path, logged: StringIO
) -> None:
    one = of(NOTIFY_SOCKET=str(tmp_path / "notify"))
    assert one.tell("READY=1")
    assert not one.tell("WATCHDOG=1", keep=False)
    for number in range(WAITING - 2):
        one.tell(f"STATUS={number}", keep=False)
    assert one.tell("RELOADING=1")
    one.flush()
    with Manager(tmp_path / "notify") as manager:
        one.flush()
        assert manager.heard() == [{"READY": "1"}, {"RELOADING": "1"}]
    assert [event["event"] for event in events(logged)] == ["notify_failed"]
    one.tell("READY=1")
    assert [event["event"] for event in events(logged)] == ["notify_failed"] * 2
    one.close()


def test_a_manager_that_does_not_read_is_not_waited_for(tmp_path: Path, logged: StringIO) -> None:
    one = of(NOTIFY_SOCKET=str(tmp_path / "notify"))
    with Manager(tmp_path / "notify") as manager:
        sent = 0
        while one.tell(f"STATUS={sent}", keep=False):
            sent += 1
        assert one.tell("READY=1")
        assert len(manager.heard()) == sent
        one.flush()
        assert manager.words() == ["READY"]
    assert [event["event"] for event in events(logged)] == ["notify_failed"]
    one.close()


def test_the_socket_is_not_inherited() -> None:
    one = of(NOTIFY_SOCKET="/notify")
    assert one._socket is not None
    assert not os.get_inheritable(one._socket.fileno())
    assert one._socket.type is socket.SOCK_DGRAM
    one.close()


TAKE = f"""
import os, subprocess, sys
from pathlib import Path
from kherd.worker import kernel
taken = kernel.take_variables({VARIABLES!r})
pid = os.fork()
if pid == 0:
    shown = Path("/proc/self/environ").read_bytes() + subprocess.run(["env"], capture_output=True).stdout
    print(taken, any(name.encode() in shown for name in {VARIABLES!r}), b"KEPT=yes" in shown, "KEPT" in os.environ)
    sys.stdout.flush()
    os._exit(0)
os.waitpid(pid, 0)
"""


def test_variables_that_are_taken_are_in_no_child_whatever_shows_its_environment() -> None:
    env = os.environ | {"NOTIFY_SOCKET": "/run/é", "WATCHDOG_USEC": "5", "KEPT": "yes"}
    done = subprocess.run([sys.executable, "-c", TAKE], env=env, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == f"{ {'NOTIFY_SOCKET': '/run/é', 'WATCHDOG_USEC': '5'} } False True True"
