"""The lock: one supervisor per name, the second told the first's pid, free again whatever killed its holder."""

import os
import secrets
import signal
import socket

import pytest

from kherd.supervisor.lock import LockedError, dismiss, take_lock

from ..fakes.processes import child


@pytest.fixture
def app() -> str:
    """A name that nobody else on this machine has."""
    return f"orders-{secrets.token_hex(8)}"


def test_the_second_is_refused_by_name_and_pid(app: str) -> None:
    with take_lock(app, "host"), pytest.raises(LockedError, match=f"{app}@host is running already as pid") as refusal:
        take_lock(app, "host")
    assert refusal.value.pid == os.getpid()


def test_every_later_one_is_told_the_pid_as_long_as_the_first_dismisses_them(app: str) -> None:
    with take_lock(app, None) as lock:
        for _ in range(10):
            with pytest.raises(LockedError) as refusal:
                take_lock(app, None)
            assert refusal.value.pid == os.getpid()
            dismiss(lock)
        dismiss(lock)


def test_a_holder_that_answers_nobody_holds_the_lock_all_the_same(app: str) -> None:
    with take_lock(app, None) as lock:
        askers = []
        for _ in range(3):
            asker = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
            askers.append(asker)
            asker.connect_ex(lock.getsockname())
        with pytest.raises(LockedError, match="as another process") as refusal:
            take_lock(app, None)
        assert refusal.value.pid is None
        for asker in askers:
            asker.close()


def test_name_and_instance_together_are_the_lock(app: str) -> None:
    with take_lock(app, None), take_lock(app, "a"), take_lock(app, "b"), pytest.raises(LockedError):
        take_lock(app, "a")


def test_long_names_are_told_apart(app: str) -> None:
    long = app + "x" * 200
    with take_lock(long, "a"), take_lock(long, "b"), pytest.raises(LockedError, match=long):
        take_lock(long, "a")


def test_the_pid_is_that_of_the_holder_and_kill_9_frees_the_lock(app: str) -> None:
    with child(lambda: take_lock(app, None)) as holder:
        with pytest.raises(LockedError) as refusal:
            take_lock(app, None)
        assert refusal.value.pid == holder.pid
        holder.end(signal.SIGKILL)
        take_lock(app, None).close()
