"""A real daemon whose workers and liaison talk to no Kafka: `python -m tests.fakes.standin CONFIG`.

Everything that forks, watches, signals and reaps is the real thing. What a worker does once it exists is
replaced before anything is forked: it loads the handler's module, waits at the barrier, is ready, and drains on TERM.
Environment: STANDIN_FORK_FAILS names a file; while it exists, os.fork raises EAGAIN. STANDIN_LAG names a file that
holds the total lag, or "unknown"; while there is one the liaison tells it again and again. STANDIN_CALM: seconds of
calm that clear an alert.
"""

import errno
import faulthandler
import os
import select
import signal
import sys
import types
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from kherd.supervisor import staff
from kherd.supervisor.config.schema import Settings
from kherd.supervisor.decide import alerts
from kherd.worker import kernel
from kherd.worker.board import Board, Phase, StateWord
from kherd.worker.boardwriter import BoardWriter
from kherd.worker.channel import Channel
from kherd.worker.errors import HandlerError
from kherd.worker.exits import WorkerExit
from kherd.worker.spec import SlotIdentity, WorkerSpec

LIAISON = "tests.fakes.standin"
TELL_LAG_EVERY = 50
"""Milliseconds."""
BEAT_EVERY = 1000
"""Milliseconds: a worker that is silent for 15 s is taken for hanging, however slow the machine is."""


def run_worker(
    spec: WorkerSpec, identity: SlotIdentity, board: Board, channel: Channel, stacks_fd: int, *_: int
) -> int:
    """Do what `worker.main.run_worker` promises, but for consuming."""
    del identity
    from kherd.worker import importing  # noqa: PLC0415 - as late as in a worker

    reads, writes = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    signal.set_wakeup_fd(writes, warn_on_full_buffer=False)
    signal.signal(signal.SIGTERM, lambda *_: None)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    faulthandler.register(signal.SIGUSR1, stacks_fd, all_threads=True)
    writer = BoardWriter(board)
    board.words[StateWord.PID] = os.getpid()
    writer.phase(Phase.BOOTING)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    try:
        importing.resolve(spec.handler, spec.pythonpath)
    except HandlerError as error:
        channel.send({"type": "failed", "reason": str(error)})
        return WorkerExit.PERMANENT if error.permanent else WorkerExit.TEMPORARY
    channel.send({"type": "booted"})
    writer.phase(Phase.BARRIER)
    return _obey(channel, writer, reads)


def _obey(channel: Channel, writer: BoardWriter, reads: int) -> int:
    waiting = select.poll()
    waiting.register(channel, select.POLLIN)
    waiting.register(reads, select.POLLIN)
    while True:
        writer.beat()
        for fd, _ in waiting.poll(BEAT_EVERY):
            if fd == reads and signal.SIGTERM in os.read(reads, 4096):
                return WorkerExit.DRAINED
        while (received := channel.receive()) is not None:
            if received[0]["type"] == "go":
                writer.member(f"member-of-{os.getpid()}")
                writer.phase(Phase.POLLING)
                channel.send({"type": "ready"})
        if channel.closed:
            return WorkerExit.TEMPORARY


def run(_: Any, channel: Channel) -> int:
    """Be the liaison: every notice is answered at once, and lag is what a file says."""
    channel.send({"type": "ready", "topics": {"orders": 8}, "dead_letter_topics": []})
    waiting = select.poll()
    waiting.register(channel, select.POLLIN)
    lag = os.environ.get("STANDIN_LAG")
    sweep = 0
    while not channel.closed:
        waiting.poll(None if lag is None else TELL_LAG_EVERY)
        if lag is not None and (told := _read(Path(lag))):
            sweep += 1
            channel.send(_sweep(sweep, told))
        while (received := channel.receive()) is not None:
            if "id" in received[0]:
                channel.send({"type": "notice_done", "id": received[0]["id"], "ok": True, "ms": 0.1, "error": None})
    return 0


def _read(path: Path) -> str:
    return path.read_text() if path.exists() else ""


def _sweep(number: int, told: str) -> dict[str, Any]:
    unknown = told == "unknown"
    rows = [] if unknown else [["orders", 0, 0, int(told), 0]]
    return {
        "type": "lag", "sweep": number, "last": True, "at": 1e9, "partitions": rows,
        "valid": not unknown, "reason": "unknown" if unknown else None,
    }  # fmt: skip


def calm(seconds: float) -> None:
    """Have every alert clear after so many seconds of calm."""
    table: Any = alerts.RULES
    for name, rule in list(table.items()):
        table[name] = _with_calm(rule, seconds)


def _with_calm(rule: Callable[[Settings], alerts.Rule], seconds: float) -> Callable[[Settings], alerts.Rule]:
    return lambda settings: replace(rule(settings), calm=seconds)


def _main() -> None:
    kernel.die_with_parent(os.getppid())  # a test that is killed leaves nothing behind either
    worker = types.ModuleType("kherd.worker.main")
    worker.run_worker = run_worker  # type: ignore[attr-defined] # the one name that the mold uses
    sys.modules["kherd.worker.main"] = worker
    staff.ENTRIES["liaison"] = LIAISON
    if "STANDIN_CALM" in os.environ:
        calm(float(os.environ["STANDIN_CALM"]))
    refused = os.environ.get("STANDIN_FORK_FAILS")
    if refused is not None:
        _let_forks_fail(Path(refused))
    from kherd.supervisor.cli import main  # noqa: PLC0415 - after the replacements

    main(["run", sys.argv[1]])


def _let_forks_fail(while_exists: Path) -> None:
    fork = os.fork

    def refusing() -> int:
        if while_exists.exists():
            raise OSError(errno.EAGAIN, os.strerror(errno.EAGAIN))
        return fork()

    os.fork = refusing


if __name__ == "__main__":
    _main()
