"""What Linux offers for keeping a family of processes together, and Python does not wrap."""

import ctypes
import faulthandler
import os
import signal
from collections.abc import Iterable
from pathlib import Path
from typing import Final

PR_SET_PDEATHSIG: Final = 1
PR_GET_PDEATHSIG: Final = 2
PR_SET_DUMPABLE: Final = 4
PR_SET_CHILD_SUBREAPER: Final = 36
_STARTED: Final = 19
"""Which of the fields after the name in /proc/PID/stat it is."""

# Loaded at import: a child must not dlopen between fork and its own set-up.
_libc = ctypes.CDLL(None, use_errno=True)
_libc.getenv.restype = ctypes.c_void_p


def die_with_parent(parent: int) -> bool:
    """Have the kernel send SIGKILL when the parent's thread ends; False if `parent` is not the parent (any more).

    The check comes after the request: a parent that died in between would never trigger it (prctl(2)).
    """
    _prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    return os.getppid() == parent


def parent_death_signal() -> int:
    """Return the signal that the kernel sends when the parent's thread ends, 0 for none."""
    number = ctypes.c_int()
    _prctl(PR_GET_PDEATHSIG, ctypes.addressof(number))
    return number.value


def set_parent_death_signal(number: int) -> None:
    """Have the kernel send it, or none with 0."""
    _prctl(PR_SET_PDEATHSIG, number)


def set_dumpable() -> None:
    """Let processes of this user look at this one in /proc, as they may unless it has changed its user id."""
    _prctl(PR_SET_DUMPABLE, 1)


def become_subreaper() -> None:
    """Make orphaned descendants children of this process, instead of init's."""
    _prctl(PR_SET_CHILD_SUBREAPER, 1)


def thread_count() -> int:
    """Return the threads of this process as the kernel counts them: librdkafka's are not in `threading`."""
    return sum(1 for _ in Path("/proc/self/task").iterdir())


def has_children() -> bool:
    """Return whether this process has a child, dead or alive."""
    try:
        os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return False
    return True


def started(pid: int) -> int:
    """Return when a process started, in clock ticks since the boot (proc(5)); 0 if that cannot be read."""
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[_STARTED])
    except (OSError, ValueError, IndexError):
        return 0


def socket_fds() -> set[int]:
    """Return the descriptors of this process that are sockets."""
    found = set()
    for entry in Path("/proc/self/fd").iterdir():
        try:
            target = str(entry.readlink())
        except FileNotFoundError:  # the descriptor of the listing itself
            continue
        if target.startswith("socket:"):
            found.add(int(entry.name))
    return found


def close_all_but(keep: Iterable[int]) -> None:
    """Close every descriptor above standard error that is not in `keep`."""
    low = 3
    for fd in sorted(keep):
        if fd >= low:
            os.closerange(low, fd)
            low = fd + 1
    os.closerange(low, 1 << 20)


def open_standard_fds() -> None:
    """Put /dev/null where standard input, output or error is closed, so that no other file gets their numbers."""
    for fd in range(3):
        try:
            os.fstat(fd)
        except OSError:
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)  # the lowest free number, which is `fd`


def block_signals() -> None:
    """Block every signal, so that none is lost between a fork and the child's own handlers."""
    signal.pthread_sigmask(signal.SIG_SETMASK, signal.valid_signals())


def unblock_signals() -> None:
    """Let signals through again."""
    signal.pthread_sigmask(signal.SIG_SETMASK, ())


def default_signals() -> None:
    """Take back every handler this process inherited, and the wake-up descriptor with them."""
    signal.set_wakeup_fd(-1)
    faulthandler.disable()
    for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}:
        if callable(signal.getsignal(number)):
            signal.signal(number, signal.SIG_DFL)


def take_variables(names: Iterable[str]) -> dict[str, str]:
    """Take variables out of this process' environment and return those that were set; no child will have them.

    What the kernel shows in /proc/PID/environ is the memory they were passed in, which a fork copies: it is erased too.
    """
    taken = {}
    for name in names:
        if name in os.environ:
            place = _libc.getenv(os.fsencode(name))
            taken[name] = os.environ.pop(name)
            if place is not None:
                length = len(os.fsencode(name)) + 1
                ctypes.memset(place - length, 0, length + len(os.fsencode(taken[name])))
    return taken


def oom_kills() -> int:
    """Return how often the kernel's OOM killer has struck in this process' cgroup (v2); 0 if it cannot be known."""
    try:
        line = next(line for line in Path("/proc/self/cgroup").read_text().splitlines() if line.startswith("0::"))
        events = Path(f"/sys/fs/cgroup{line[3:]}/memory.events").read_text()
    except (OSError, StopIteration):
        return 0
    return sum(int(line.split()[1]) for line in events.splitlines() if line.startswith("oom_kill "))


def _prctl(option: int, argument: int) -> None:
    if _libc.prctl(option, ctypes.c_ulong(argument), 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), f"prctl({option}): {os.strerror(ctypes.get_errno())}")
