"""What is asked of Linux: die with the parent, adopt orphans, close what was inherited, count threads and sockets."""

import os
import signal
import socket
import threading
from pathlib import Path

from kherd.worker import kernel

from ..fakes.processes import alive, child, until


def test_a_child_dies_with_its_parent(tmp_path: Path) -> None:
    told = tmp_path / "pid"

    def parent() -> None:
        mine = os.getpid()
        if os.fork() == 0:
            assert kernel.die_with_parent(mine)
            (tmp_path / "new").write_text(str(os.getpid()))
            (tmp_path / "new").rename(told)
            while True:
                signal.pause()

    with child(parent) as one:
        until(told.exists)
        orphan = int(told.read_text())
        assert alive(orphan)
        one.end(signal.SIGKILL)
        until(lambda: not alive(orphan))


def test_a_child_whose_parent_is_gone_already_is_told_so() -> None:
    def work() -> None:
        os._exit(0 if not kernel.die_with_parent(os.getppid() + 1) else 1)

    with child(work, stay=False) as one:
        assert one.wait() == 0


def test_a_subreaper_is_given_its_orphans(tmp_path: Path) -> None:
    def reaper() -> None:
        kernel.become_subreaper()
        between = os.fork()
        if between == 0:
            if os.fork() == 0:
                signal.pause()
            os._exit(0)
        os.waitpid(between, 0)
        orphan = int(Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()[0])
        os.kill(orphan, signal.SIGKILL)
        assert os.waitpid(orphan, 0)[0] == orphan
        os._exit(0)

    with child(reaper, stay=False) as one:
        assert one.wait() == 0


def test_threads_are_counted_as_the_kernel_sees_them() -> None:
    before = kernel.thread_count()
    gate = threading.Event()
    thread = threading.Thread(target=gate.wait)
    thread.start()
    assert kernel.thread_count() == before + 1
    gate.set()
    thread.join()
    until(lambda: kernel.thread_count() == before)


def test_sockets_are_told_from_other_descriptors() -> None:
    reads, writes = os.pipe()
    with socket.socket() as one:
        found = kernel.socket_fds()
        assert one.fileno() in found
        assert not {reads, writes} & found
    os.close(reads)
    os.close(writes)


def test_children_are_seen_dead_or_alive() -> None:
    def work() -> None:
        assert not kernel.has_children()
        one = os.fork()
        if one == 0:
            signal.pause()
        assert kernel.has_children()
        os.kill(one, signal.SIGKILL)
        os.waitid(os.P_PID, one, os.WEXITED | os.WNOWAIT)
        assert kernel.has_children()
        os.waitpid(one, 0)
        os._exit(0 if not kernel.has_children() else 1)

    with child(work, stay=False) as one:
        assert one.wait() == 0


def test_all_but_what_is_kept_is_closed() -> None:
    def work() -> None:
        fds = [os.dup(1) for _ in range(20)]
        keep = {fds[3], fds[17], 0}
        kernel.close_all_but(keep)
        left = {int(entry.name) for entry in Path("/proc/self/fd").iterdir()}
        expected = {0, 1, 2} | keep
        # the listing's own descriptor is the lowest free one
        os._exit(0 if expected <= left and len(left - expected) == 1 else 1)

    with child(work, stay=False) as one:
        assert one.wait() == 0


def test_a_blocked_signal_waits_and_is_not_lost() -> None:
    def work() -> None:
        seen: list[int] = []
        signal.signal(signal.SIGTERM, lambda number, _: seen.append(number))
        kernel.block_signals()
        os.kill(os.getpid(), signal.SIGTERM)
        before = list(seen)
        kernel.unblock_signals()
        os._exit(0 if (before, seen) == ([], [signal.SIGTERM]) else 1)

    with child(work, stay=False) as one:
        assert one.wait() == 0


def test_inherited_handlers_are_taken_back_and_ignored_signals_stay_ignored() -> None:
    def work() -> None:
        signal.signal(signal.SIGTERM, lambda *_: None)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        reads, writes = os.pipe2(os.O_NONBLOCK)
        signal.set_wakeup_fd(writes)
        kernel.default_signals()
        assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
        assert signal.set_wakeup_fd(-1) == -1
        os._exit(0 if reads else 1)

    with child(work, stay=False) as one:
        assert one.wait() == 0


def test_oom_kills_are_a_number_wherever_we_run() -> None:
    assert kernel.oom_kills() >= 0
