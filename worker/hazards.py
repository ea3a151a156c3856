"""What a process holds that would not survive a fork, each thing by its name: threads, processes, sockets."""

import os
import socket
import threading
from contextlib import suppress
from pathlib import Path
from typing import Final

from . import kernel

CLIENT: Final = "rdk:"
"""What librdkafka calls its threads."""
MOST: Final = 5
"""Things of a kind that are named."""


def name_hazard(kept: frozenset[int]) -> str | None:
    """Return what importing the handler's module has left behind, beside the descriptors `kept`; None if nothing."""
    threads = kernel.thread_count() - 1
    if threads:
        return f"importing it started {threads} thread(s): {_listed(_threads())}"
    if kernel.has_children():
        return f"importing it left a process running: {_listed(_processes())}"
    sockets = sorted(kernel.socket_fds() - kept)
    if sockets:
        return f"importing it opened {len(sockets)} socket(s): {_listed([_socket(fd) for fd in sockets])}"
    return None


def _threads() -> list[str]:
    """Return Python's threads by their names, and others by what the kernel calls them."""
    ours = _read(Path("/proc/self/comm"))
    known = {thread.native_id: thread for thread in threading.enumerate()}
    found, clients = [], 0
    for task in sorted(Path("/proc/self/task").iterdir(), key=lambda entry: int(entry.name)):
        thread = known.get(int(task.name))
        if int(task.name) == os.getpid():
            continue
        name = _read(task / "comm")
        if thread is not None:
            target = getattr(thread, "_target", None) or type(thread)
            found.append(f"{thread.name} ({target.__module__}.{target.__qualname__})")
        elif name.startswith(CLIENT):
            clients += 1
        else:
            found.append("a library's own" if name == ours else f"{name}, a library's own")
    return [*([f"a Kafka client's {clients}"] if clients else []), *found]


def _processes() -> list[str]:
    pids = _read(Path(f"/proc/self/task/{os.getpid()}/children")).split()
    return [f"pid {pid} ({_read(Path(f'/proc/{pid}/cmdline')).replace(chr(0), ' ').strip()[:80]})" for pid in pids]


def _socket(fd: int) -> str:
    with socket.socket(fileno=os.dup(fd)) as one:
        kind = f"{one.family.name.removeprefix('AF_').lower()}"
        with suppress(OSError):
            return f"{kind} to {_address(one.getpeername())}"
        with suppress(OSError):
            return f"{kind} at {_address(one.getsockname())}"
        return kind


def _address(name: object) -> str:
    if isinstance(name, tuple):
        return f"{name[0]}:{name[1]}"
    text = name.decode(errors="replace") if isinstance(name, bytes) else str(name)
    return text.replace("\0", "@") or "nobody"


def _listed(names: list[str]) -> str:
    more = len(names) - MOST
    return ", ".join(names[:MOST]) + (f" and {more} more" if more > 0 else "")


def _read(path: Path) -> str:
    try:
        return path.read_text(errors="replace").strip()
    except OSError:
        return "?"
