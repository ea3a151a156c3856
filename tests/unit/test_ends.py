"""How processes ended, in words and facts, and freeing a dead one from a parent that does not reap it."""

import os
import signal
from pathlib import Path

import pytest

from kherd.supervisor.process.ends import facts_of, in_words, take_from_parent
from kherd.supervisor.process.handle import Process

from ..fakes.nursery import process
from ..fakes.processes import alive, child, children_of, state, until


def _end(work: object) -> os.waitid_result:
    pid = os.fork()
    if pid == 0:
        if isinstance(work, int):
            os._exit(work)
        os.kill(os.getpid(), int(str(work)))
    result = os.waitid(os.P_PID, pid, os.WEXITED)
    assert result is not None
    return result


@pytest.fixture
def ended() -> Process:
    """A process that was asked to end and said why it would."""
    one = process()
    one.channel.close()
    one.asked, one.said = True, "bad handler"
    return one


def test_an_exit_is_told_by_its_code(ended: Process) -> None:
    status = _end(100)
    facts = facts_of(ended, status, oom=False)
    assert (facts.exit_code, facts.signal, facts.asked, facts.said) == (100, None, True, "bad handler")
    assert in_words(status) == "exit 100"


@pytest.mark.parametrize(("number", "name"), [(9, "SIGKILL"), (15, "SIGTERM"), (40, "SIG40")])
def test_a_signal_is_told_by_its_name_even_one_that_has_none(ended: Process, number: int, name: str) -> None:
    status = _end(str(number))
    facts = facts_of(ended, status, oom=True)
    assert (facts.exit_code, facts.signal, facts.oom) == (None, name, True)
    assert in_words(status) == name


def _between(told: Path) -> None:
    worker = os.fork()
    if worker == 0:
        os._exit(0)
    (told.parent / "new").write_text(str(worker))
    (told.parent / "new").rename(told)


def test_a_dead_process_is_taken_from_a_stopped_parent(tmp_path: Path) -> None:
    told = tmp_path / "pid"
    with child(lambda: _between(told)) as between:
        worker = int(told.read_text())
        until(lambda: state(worker) == "Z")
        os.kill(between.pid, signal.SIGSTOP)
        until(lambda: state(between.pid) == "T")
        take_from_parent(worker)
        assert between.wait() == -signal.SIGKILL
        assert worker not in children_of(between.pid)


def test_we_are_never_that_parent() -> None:
    with child(lambda: None) as ours:
        take_from_parent(ours.pid)
        take_from_parent(2**22 + 1)  # nobody's pid
        assert alive(ours.pid)
