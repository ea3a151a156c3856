"""As pid 1 of a container kherd acts on every signal, reaps strangers, replaces workers; its end is everybody's."""

import os
import signal
from pathlib import Path

import pytest

from kherd.testing import namespaces
from kherd.testing.herd import GONE, Herd
from kherd.testing.plugin import NewHerd, part_or_skip
from kherd.testing.wait import until

HANDLER = """
import os, time

class Handler:
    def __init__(self):
        if os.fork() == 0:  # a stranger: its parent ends before it, and it is in no group of ours
            os.setsid()
            if os.fork() == 0:
                time.sleep(0.2)
                os._exit(7)
            os._exit(0)
        os.wait()

    def handle(self, message):
        pass
"""
CONFIG = {
    "app": {"handler": "handlers:Handler"},
    "kafka": {"bootstrap": "embedded", "topics": ["orders"]},
    "restart": {"backoff_max": 0.2},
    "log": {"level": "debug"},
}


@pytest.fixture
def one(herd: NewHerd) -> Herd:
    part_or_skip(namespaces.available)
    return herd(CONFIG, HANDLER, within=namespaces.first_process())


def inside(one: Herd) -> int:
    """Return the pid, out here, of what is pid 1 in there."""
    (pid,) = until(lambda: namespaces.children(one.pid), 5.0, "the first process")
    return pid


def test_signals_strangers_and_the_exit_code(one: Herd) -> None:
    status = one.wait_ready(2)
    assert status["pid"] == 1
    supervisor = inside(one)

    # Strangers are reaped, those of the herd and those of others
    one.wait_event("stranger_reaped", count=2, cause="exit 7")
    others = ["nsenter", f"--target={supervisor}", "--pid", "--", "sh", "-c", "sleep 0.2 & echo"]
    assert os.spawnvp(os.P_WAIT, others[0], others) == 0
    until(lambda: not zombies(supervisor), GONE, "no zombie")

    # Every signal acts
    for number, workers in ((signal.SIGTTIN, 3), (signal.SIGTTOU, 2)):
        os.kill(supervisor, number)
        one.wait_ready(workers)
    os.kill(supervisor, signal.SIGHUP)
    one.wait_event("reloaded")
    os.kill(supervisor, signal.SIGUSR1)
    one.wait_event("child_stacks", count=2)
    os.kill(supervisor, signal.SIGUSR2)
    one.wait_status(lambda document: document["state"] == "quiet")
    os.kill(supervisor, signal.SIGUSR2)
    one.wait_status(lambda document: document["state"] == "running")

    # A worker that is killed is replaced
    before = one.worker_pids()
    victim = next(pid for pid in namespaces.children(supervisor) if _inner(pid) == before[0])
    os.kill(victim, signal.SIGKILL)
    one.wait_event("child_died", child_pid=before[0])
    after = one.wait_ready(2)
    assert {slot["slot"]: slot["pid"] for slot in after["slots"]}[1] == before[1]

    # TERM stops in order, and the code is the herd's
    os.kill(supervisor, signal.SIGTERM)
    one.wait_end(code=0)
    assert one.events("child_killed") == []


def test_a_stop_at_once_is_one_there_too(one: Herd) -> None:
    one.wait_ready(2)
    os.kill(inside(one), signal.SIGQUIT)
    one.wait_end(code=0)


def test_a_stop_that_comes_before_there_are_handlers_is_kept(one: Herd) -> None:
    supervisor = inside(one)
    # unshare itself blocks TERM and INT for a moment, and lets go of them before it becomes kherd
    until(lambda: _has(supervisor, "SigBlk", signal.SIGHUP), 5.0, "every signal blocked")
    os.kill(supervisor, signal.SIGTERM)
    one.wait_end(code=0)
    assert one.events("signal_received", signal="SIGTERM")


def test_its_death_is_the_death_of_everything(one: Herd) -> None:
    one.wait_ready(2)
    os.kill(inside(one), signal.SIGKILL)
    until(lambda: not one.alive, GONE, "unshare's end")
    until(lambda: not one.processes(), GONE, "the end of all processes")


def test_a_broken_configuration_is_78_there_too(herd: NewHerd) -> None:
    part_or_skip(namespaces.available)
    config = {**CONFIG, "app": {"handler": "handlers:Handler", "user": "nobody-here"}}
    herd(config, within=namespaces.first_process()).wait_end(code=78)


def zombies(pid: int) -> list[int]:
    return [one for one in namespaces.children(pid) if _fact(one, "State").startswith("Z")]


def _has(pid: int, mask: str, number: signal.Signals) -> bool:
    return bool(int(_fact(pid, mask) or "0", 16) >> (number - 1) & 1)


def _inner(pid: int) -> int:
    return int(_fact(pid, "NSpid").split()[-1])


def _fact(pid: int, name: str) -> str:
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except FileNotFoundError:
        return ""
    return next(line.partition(":\t")[2] for line in lines if line.startswith(f"{name}:"))
