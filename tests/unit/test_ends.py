"""How processes ended, in words and facts, and freeing a dead one from a parent that does not reap it."""

import os
import signal
from pathlib import Path

import pytest

from kherd.supervisor.process.ends import facts_of, in_words, reap, take_from_parent
from kherd.supervisor.process.handle import Process

from ..fakes.nursery import process
from ..fakes.processes import alive, child, children_of, state, until


def _end(work: object, memory: int = 0) -> int:
    """Return the pid of a process that has ended, after a use of `memory` bytes, and is not reaped."""
    pid = os.fork()
    if pid == 0:
        used = b"x" * memory
        if isinstance(work, int):
            os._exit(work)
        os.kill(os.getpid(), int(str(work)) + 0 * len(used))
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    return pid


@pytest.fixture
def ended() -> Process:
    """A process that was asked to end and said why it would."""
    one = process()
    one.channel.close()
    one.asked, one.said = True, "bad handler"
    return one


def test_an_exit_is_told_by_its_code(ended: Process) -> None:
    ended.pid = _end(100)
    reap(ended)
    facts = facts_of(ended, oom=False)
    assert (facts.exit_code, facts.signal, facts.asked, facts.said) == (100, None, True, "bad handler")


@pytest.mark.parametrize(("number", "name"), [(9, "SIGKILL"), (15, "SIGTERM"), (40, "SIG40")])
def test_a_signal_is_told_by_its_name_even_one_that_has_none(ended: Process, number: int, name: str) -> None:
    ended.pid = _end(str(number))
    reap(ended)
    facts = facts_of(ended, oom=True)
    assert (facts.exit_code, facts.signal, facts.oom) == (None, name, True)


def test_the_most_memory_that_it_has_had_is_its_own(ended: Process) -> None:
    ended.pid = _end(1, 300 << 20)
    reap(ended)
    assert ended.peak_rss is not None
    assert 300 << 20 < ended.peak_rss < 900 << 20
    with pytest.raises(ChildProcessError):
        os.waitid(os.P_PID, ended.pid, os.WEXITED | os.WNOHANG)


@pytest.mark.parametrize(("work", "words"), [(100, "exit 100"), ("9", "SIGKILL"), ("40", "SIG40")])
def test_a_strangers_end_is_told_in_two_words(work: object, words: str) -> None:
    status = os.waitid(os.P_PID, _end(work), os.WEXITED)
    assert status is not None
    assert in_words(status) == words


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
